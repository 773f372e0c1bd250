"""Every form of leads, licences and consent as it looks when it was refused, in Chromium at 375 px.

The error stands at its field and is read with it, the focus goes to the summary, what was written is still
there, and axe finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe

from portal.extensions import db
from portal.leads import forms
from portal.leads.consents import ensure_texts
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import Consultant, Lead, LeadForm, Vendor
from portal.store import perform
from portal.store.people import Contact
from tests.browser import AXE, Screen, chromium, cookies, served
from tests.people import invite_cast
from tests.vendors import invite_vera

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Refused:
    """A page, the end of the address its form is sent to, what is written there, and the fields at fault."""

    reader: str
    page: str
    action: str
    faults: tuple[str, ...]
    written: dict[str, str] = field(default_factory=dict)


FORMS = {
    "a new lead": Refused("Ben", "/leads/new", "/leads/new", ("phone",), {"name": "Dana", "phone": "12"}),
    "details of a lead": Refused(
        "Ben", "/leads/{lead}", "/details", ("email",), {"name": "Dana R.", "email": "dana@"}
    ),
    "a note": Refused("Ben", "/leads/{lead}", "/notes", ("text",)),
    "something to do": Refused("Ben", "/leads/{lead}", "/tasks", ("due_on",), {"title": "Call back"}),
    "a lost lead": Refused("Ben", "/leads/{lead}", "/lost", ("reason",)),
    "what somebody said": Refused("Ben", "/leads/{lead}", "/stop", ("said",), {"said": "x" * 201}),
    "a file of leads": Refused("Ben", "/leads/import", "/leads/import", ("file",)),
    "a licence": Refused("Ben", "/licences/new", "/licences", ("kind", "valid_from"), {"number": "L-7"}),
    "a form of one's own": Refused(
        "Ben",
        "/settings/integrations/forms",
        "/forms",
        ("origins",),
        {"name": "My page", "origins": "http://x"},
    ),
    "a sign-up": Refused(
        "", "/v/{vendor}/solar?c={ben}", "", ("email", "zip", "signup"), {"name": "Dana", "zip": "8"}
    ),
    "an embedded form": Refused(
        "", "/forms/{form}", "/leads", ("email", "contact"), {"name": "Dana", "note": "Hi"}
    ),
    "a routing rule": Refused(
        "Ada",
        "/admin/routing",
        "/routing",
        ("answer_hours", "weight_load"),
        {"answer_hours": "0", "weight_load": "99"},
    ),
    "a consent text": Refused("Ada", "/admin/consents", "/consents", ("body",), {"version": "signup-2"}),
    "a stop": Refused(
        "Ada", "/admin/consents/stops", "/stops", ("reached",), {"reached": "nobody", "reason": "asked"}
    ),
}
SEND = """([action, written]) => {
    const sends = form => form.method === 'post' && form.action.split('?')[0].endsWith(action);
    const form = [...document.forms].find(sends);
    form.noValidate = true;
    for (const [name, value] of Object.entries(written)) form.elements[name].value = value;
    form.requestSubmit(form.querySelector('button:not([type=button])'));
}"""
SAID = """names => Object.fromEntries(names.map(name => {
    const one = document.querySelector(`[name="${name}"]:is([aria-invalid=true])`);
    const said = (one?.getAttribute('aria-describedby') || '').split(' ').filter(Boolean);
    return [name, said.some(id => document.getElementById(id)?.matches('.field__error'))];
}))"""
KEPT = """([name, value]) => [...document.getElementsByName(name)].some(each => each.value === value)"""


@pytest.fixture
def house(sqlite_app):
    """The app, and the names that stand in the addresses."""
    cast = invite_cast(sqlite_app)
    invite_vera(sqlite_app, cast)

    def live(uow):
        ensure_texts(uow)
        dana = Contact("Dana Reed", "dana@example.com", "303-555-0142", "12 Elm St", "CO")
        take_lead(uow, enquiry=Enquiry(dana, "form", consultant_id=cast.ben))
        forms.add_form(uow, consultant_id=cast.ben, wish=forms.Wish("My page"), actor_id=cast.ada)

    with sqlite_app.app_context():
        perform(live)
        named = {
            "lead": db.session.query(Lead).one().public_id,
            "form": db.session.query(LeadForm).one().public_id,
            "vendor": db.session.query(Vendor).one().public_id,
            "ben": db.session.get_one(Consultant, cast.ben).code,
        }
        db.session.rollback()
    return sqlite_app, named


def test_a_refused_form_says_where_keeps_what_was_written_and_can_be_read_by_everybody(house):
    app, named = house
    found = {}
    with served(app) as address, chromium() as browser:
        screens = {}
        for title, form in FORMS.items():
            if form.reader not in screens:
                screens[form.reader] = Screen(browser, viewport={"width": 375, "height": 800})
                screens[form.reader].context.add_cookies(cookies(app, address, form.reader))
            page = screens[form.reader].page
            found[title] = look_at(page, address + form.page.format(**named), form)

    assert found == {title: [] for title in FORMS}


def look_at(page, url, form):
    """What is wrong about a form once it was refused."""
    page.goto(url)
    action = form.action or page.url.partition("?")[0].partition("/v/")[2]
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.evaluate(SEND, [action, form.written])
    page.wait_for_selector("[aria-invalid=true]")
    said = page.evaluate(SAID, list(form.faults))
    findings = [f"{name} is not told at its field" for name, told in said.items() if not told]
    findings += [] if sent.value.status == 422 else [f"status {sent.value.status}"]
    findings += [
        f"{name} was not kept"
        for name, value in form.written.items()
        if not page.evaluate(KEPT, [name, value])
    ]
    focused = page.evaluate("document.activeElement.matches('.summary, [aria-invalid=true]')")
    findings += [] if focused else ["the focus is elsewhere"]
    findings += [fault["id"] for fault in Axe().run(page, options=AXE).response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return findings + (["scrolls sideways"] if wide else [])
