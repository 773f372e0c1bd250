"""Every page in Chromium: no finding of axe in light and dark, no complaint, no sideways scroll at 320 px."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from portal.access.permissions import ROLES
from portal.commissions import projection
from portal.commissions.plans.drafts import make_draft
from portal.extensions import db
from portal.integrations import deliveries, endpoints
from portal.kernel.clock import utc_now
from portal.leads import forms
from portal.leads.consents import ensure_texts
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import (
    Consultant,
    Cycle,
    HeldSale,
    Lead,
    LeadForm,
    Licence,
    PlanDraft,
    Vendor,
    WebhookDelivery,
)
from portal.store import perform
from portal.store.people import Contact, token_for
from tests.browser import AXE, Screen, chromium, cookies, served
from tests.compliance.sample import add_licences
from tests.people import add_consultant, invite_cast
from tests.rooms.vendors.conftest import hire
from tests.sales import rules
from tests.shop import add_sale
from tests.vendors import activated, invite_vera

READERS = {"": "public", "Ana": "consultant", "Ada": "admin", "Cleo": "vendor"}
WINDOWS = [("light", 1280), ("dark", 375)]

pytestmark = pytest.mark.browser


@pytest.fixture
def house(sqlite_app):
    """The cast with some volume, and somebody who waits for a spot."""
    cast = invite_cast(sqlite_app)

    def live(uow):
        for consultant, volume in ((cast.ana, 84_000), (cast.ben, 120_000), (cast.cem, 30_000)):
            add_sale(uow, consultant, volume, revenue=volume)
        add_consultant(uow, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
        add_consultant(uow, "Nia", sponsor=cast.ana)
        make_draft(uow, version_id=1, actor_id=cast.ada)
        ensure_texts(uow)
        for seller, name in ((cast.ana, "dana"), (None, "eli")):
            dana = Contact(name.title(), f"{name}@example.com", "", "12 Elm St", "CO")
            take_lead(uow, enquiry=Enquiry(dana, "form", consultant_id=seller))
            wish = forms.Wish("My page", origins=("https://www.example.com",), ask_phone=True)
            forms.add_form(uow, consultant_id=seller, wish=wish, actor_id=cast.ada)
            hook = endpoints.Wish("https://hooks.example.com/canopy", endpoints.KINDS)
            made = endpoints.add_endpoint(uow, consultant_id=seller, wish=hook, actor_id=cast.ada)
            deliveries.send_test(uow, endpoint=made)

    vera = invite_vera(sqlite_app, cast)
    hire(sqlite_app, vera.vendor_id, "Cleo")
    with sqlite_app.app_context():
        rules.rule(states=["UT"])
        rules.tell(vera, activated(vera, consultant_code=vera.ana, customer_state="CA"))
        perform(live)
        perform(lambda uow: add_licences(uow, cast))
        projection.recalculate(db.session(), now=utc_now())
        db.session.rollback()
    return sqlite_app


def pages_of(app, reader):
    """Addresses of pages without arguments that this reader may open, one reader for each."""
    addresses = []
    for rule in app.url_map.iter_rules():
        door = getattr(app.view_functions[rule.endpoint], "door", None)
        plain = not rule.arguments and not rule.rule.endswith(".csv")
        if "GET" in (rule.methods or ()) and plain and reader == first_reader(door):
            addresses.append(rule.rule)
    return sorted(addresses)


def first_reader(door):
    if door == "public":
        return ""
    needed = {need.value for need in door.needs}
    return next(name for name, role in READERS.items() if needed <= ROLES.get(role, frozenset()))


def more_pages(app, reader):
    """Pages about one thing, and the page that is not there."""
    with app.app_context():
        people = {consultant.person.name: consultant for consultant in db.session.query(Consultant)}
        ben, nia, code = people["Ben"].public_id, people["Nia"].public_id, people["Ana"].code
        week = db.session.query(Cycle).one().name
        vendor = db.session.query(Vendor).first().public_id
        held = f"/admin/held/{db.session.query(HeldSale).one().public_id}"
        lead = db.session.query(Lead).filter(Lead.consultant_id.is_not(None)).one()
        told = {purpose: token_for(lead.person, purpose) for purpose in ("stop", "confirm")}
        licences = [f"/admin/licences/{one.public_id}" for one in db.session.query(Licence)]
        draft = f"/admin/plans/drafts/{db.session.query(PlanDraft).one().public_id}"
        own, company = integration_pages("settings"), integration_pages("admin")
    return {
        "": [
            *(f"/r/{code}", f"/shop/{code}", "/nothing-here"),
            *(f"/v/{vendor}/solar?c={code}", f"/v/{vendor}/solar/thanks?c={code}"),
            *(f"/stop/{told['stop']}", f"/v/confirm/{told['confirm']}"),
            *(f"/forms/{own[0].rpartition('/')[2]}", f"/forms/{company[0].rpartition('/')[2]}/thanks"),
        ],
        "Ana": [
            "/earnings/payees/bank",
            f"/leads/{lead.public_id}",
            f"/market/{vendor}",
            f"/team/{ben}",
            f"/team/place/{nia}",
            f"/team/place/{nia}?parent={ben}&leg=right",
            *own,
        ],
        "Ada": ["/admin/payouts/methods/bank", "/admin/payouts/methods/ach", "/admin/plans/1", draft, held]
        + [f"{draft}/{page}" for page in ("text", "propose", "try")]
        + licences
        + company,
        "Cleo": [],
    }[reader] + ([f"/earnings/weeks/{week}"] if reader == "Ana" else [])


def integration_pages(side):
    """A form, an address that is told, and a message to it, of a consultant or the company."""
    is_own = side == "settings"
    [form] = (one for one in db.session.query(LeadForm) if bool(one.consultant_id) == is_own)
    [sent] = (one for one in db.session.query(WebhookDelivery) if bool(one.endpoint.consultant_id) == is_own)
    hook = f"/{side}/integrations/webhooks/{sent.endpoint.public_id}"
    return [f"/{side}/integrations/forms/{form.public_id}", hook, f"{hook}/messages/{sent.public_id}"]


@pytest.mark.parametrize("reader", READERS)
def test_no_page_has_a_finding_a_complaint_or_a_sideways_scroll(house, reader):
    found = []
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, reader))
        for path in pages_of(house, reader) + more_pages(house, reader):
            found += look_at(screen, address, path)

    assert found == []


def look_at(screen, address, path):
    page, findings = screen.page, []
    answer = page.goto(address + path)
    assert answer is not None
    if "html" not in answer.headers.get("content-type", ""):
        screen.complaints.clear()
        return []
    for scheme, width in WINDOWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        findings += [
            f"{scheme}: {fault['id']}" for fault in Axe().run(page, options=AXE).response["violations"]
        ]
    page.set_viewport_size({"width": 320, "height": 900})
    findings += ["scrolls sideways"] if screen.is_too_wide() else []
    heard = [text for text in screen.complaints if answer.status == 200 or f"{answer.status}" not in text]
    screen.complaints.clear()
    return [f"{path}: {finding}" for finding in (*findings, *heard)]


def test_a_sale_shows_within_three_seconds_and_an_open_sum_stays_open(house):
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Ana"))
        page = screen.page
        page.goto(address + "/home")
        page.click("#earnings-sum summary")
        before = page.inner_text(".hero__amount")

        with house.app_context():
            perform(lambda uow: add_sale(uow, 1, 50_000, revenue=50_000))
            projection.recalculate(db.session(), now=utc_now())
            db.session.rollback()

        changed = "text => document.querySelector('.hero__amount').innerText !== text"
        page.wait_for_function(changed, arg=before, timeout=3_000)
        assert page.evaluate("document.querySelector('#earnings-sum').open")
        assert screen.complaints == []


def test_the_tree_moves_without_a_reload_and_back_goes_back(house):
    with served(house) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 375, "height": 800})
        screen.context.add_cookies(cookies(house, address, "Ana"))
        page = screen.page
        page.goto(address + "/team")
        page.evaluate("window.kept = true")

        page.click(".node--pair >> nth=0")
        page.wait_for_function("() => document.querySelector('.node--focus h2').innerText === 'Ben'")
        assert page.evaluate("[window.kept, document.activeElement.innerText]") == [True, "Ben"]
        page.go_back()
        page.wait_for_function("() => document.querySelector('.node--focus h2').innerText === 'Ana'")

        assert page.url == address + "/team"
        assert screen.complaints == []


def test_a_page_that_breaks_in_the_background_stays_as_it_is(house):
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Ana"))
        page = screen.page
        page.goto(address + "/team")
        real = house.view_functions["network.person"]

        def broken(public_id):
            raise RuntimeError("broken on purpose")

        broken.door = real.door
        house.view_functions["network.person"] = broken
        with page.expect_response(lambda answer: answer.status == 500):
            page.wait_for_timeout(2_600)
        assert page.inner_text(".node--focus h2") == "Ana"
        assert page.inner_text("#toasts") == ""

        page.click(".node--pair >> nth=0")
        page.wait_for_function("() => document.querySelector('#toasts').innerText !== ''")
        assert page.inner_text(".node--focus h2") == "Ana"
