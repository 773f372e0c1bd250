"""The lead desk: whose leads they are, what is done with them, what the vendor reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select

from jobs import reactions, relay
from portal.leads import offers
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import (
    Consultant,
    Lead,
    LeadOffer,
    LeadStep,
    LeadTask,
    Message,
    Outbox,
    Person,
)
from portal.store.people import Contact
from tests.rooms.desk.conftest import DANA, WRITTEN, stage, written
from tests.rooms.desk.test_vendor_reports import vendor_says


def told(street, name):
    return street.read(lambda session: session.scalar(select(func.count()).where(Outbox.name == name)))


def test_three_fields_make_a_lead_and_the_same_number_makes_no_second_one(street, ben):
    first = written(ben)
    assert "Dana Reed" in ben.words and "(303) 555-0142" in ben.words
    again = written(ben, name="Dana R.", phone="(303) 555-0142")

    assert again == first and "You have this person already" in ben.words
    ben.visit("/leads")
    assert ben.words.count("Dana Reed") == 1


def test_who_may_be_a_lead_already_is_asked_about_and_written_down_anyway(street, ben):
    """Another name at the same number or e-mail, or a lead that is won: shown with a link, kept as typed."""
    page = written(ben, email="dana@example.com")
    for changes in (
        {"name": "Eli Stone"},
        {"name": "Eli Stone", "phone": "", "email": "DANA@example.com"},
        {"name": "Dana Reed", "phone": "+1 303 555 0142"},
    ):
        if changes["name"] == "Dana Reed":
            ben.visit(page)
            ben.submit(f"{page}/stage", {"stage": "won"})
        ben.visit("/leads/new")
        answer = ben.submit("/leads/new", {**DANA, **changes})
        assert answer.status_code == 409 and "You have this person already" in ben.words
        text = answer.get_data(as_text=True)
        assert f'href="{page}"' in text and f'value="{changes["name"]}"' in text
    assert stage(street) == ["won"]
    answer = ben.submit("/leads/new", {**DANA, **changes, "anyway": "y"})
    assert answer.status_code == 303 and answer.location != page
    assert stage(street) == ["won", "new"]
    again = ben.submit("/leads/new", {**DANA, **changes, "anyway": "y"})
    assert again.location == answer.location and stage(street) == ["won", "new"]


def test_leads_of_others_and_in_the_archive_ask_nothing(street, ben, signed_in):
    page = written(ben)
    ben.submit(f"{page}/archive", {})
    written(ben, name="Eli Stone")
    cem = signed_in("Cem")
    written(cem, name="Fay Moss")
    assert stage(street) == ["new"] * 3


def test_a_lead_needs_a_name_and_a_way_to_reach_them(street, ben):
    ben.visit("/leads/new")
    for changes in ({"name": ""}, {"phone": ""}, {"phone": "12"}, {"email": "dana"}):
        answer = ben.submit("/leads/new", {**DANA, **changes})
        assert answer.status_code == 422
    assert stage(street) == []


def test_a_stage_is_changed_and_taken_back(street, ben):
    page = written(ben)
    ben.submit(f"{page}/stage", {"stage": "appointment"})
    ben.follow()
    assert "Moved to Appointment" in ben.words
    step = street.read(lambda session: session.scalar(select(func.max(LeadStep.id))))
    ben.submit(f"{page}/undo", {"step": step})
    assert stage(street) == ["new"]
    assert ben.submit(f"{page}/undo", {"step": step}).status_code == 409
    assert ben.submit(f"{page}/stage", {"stage": "moon"}).status_code == 422


def test_lost_needs_a_reason(street, ben):
    page = written(ben)
    assert ben.submit(f"{page}/lost", {"reason": ""}).status_code == 422
    assert "Please say why" in ben.words
    ben.submit(f"{page}/lost", {"reason": "rents the house"})
    ben.visit(page)
    assert stage(street) == ["lost"] and "rents the house" in ben.words


def test_notes_and_tasks_stand_in_the_history_and_what_is_late_is_said(street, ben):
    page = written(ben)
    ben.submit(f"{page}/notes", {"text": "Has a south roof.\nCall after six."})
    today = datetime.now(UTC).date()
    for title, days in (("Send the offer", 5), ("Call back", -3)):
        ben.submit(f"{page}/tasks", {"title": title, "due_on": (today + timedelta(days=days)).isoformat()})
    assert ben.submit(f"{page}/tasks", {"title": "", "due_on": ""}).status_code == 422
    assert ben.submit(f"{page}/notes", {"text": " "}).status_code == 422
    ben.visit("/leads")
    words = ben.words
    assert words.index("Call back") < words.index("Send the offer") and "overdue since" in words
    ben.visit(page)
    assert "Has a south roof." in ben.words
    task = street.read(lambda session: session.scalars(select(LeadTask.public_id)).first())
    ben.submit(f"{page}/tasks/{task}", {})
    open_tasks = select(func.count()).where(LeadTask.done_at.is_(None))
    assert street.read(lambda session: session.scalar(open_tasks)) == 1
    ben.submit(f"{page}/tasks/{task}", {"again": "1"})
    assert street.read(lambda session: session.scalar(open_tasks)) == 2


def test_the_archive_hides_a_lead_until_it_is_taken_out(street, ben):
    page = written(ben)
    ben.submit(f"{page}/archive", {})
    ben.follow()
    assert "Dana Reed is archived" in ben.words and "No leads yet" in ben.words
    ben.submit(f"{page}/archive", {"restore": "1"})
    ben.visit("/leads")
    assert "Dana Reed" in ben.words


def test_nobody_sees_or_touches_anothers_lead(street, ben, signed_in):
    page = written(ben)
    cem = signed_in("Cem")
    cem.visit("/leads")
    assert "Dana" not in cem.words
    assert cem.visit(page).status_code == 404
    for deed in ("stage", "notes", "archive", "stop", "tasks", "lost", "details", "undo"):
        data = {"stage": "won", "text": "x", "title": "x", "due_on": "2026-12-01", "reason": "x", "name": "x"}
        cem.visit("/leads")
        assert cem.submit(f"{page}/{deed}", data).status_code == 404, deed
    assert stage(street) == ["new"]


def test_leads_are_found_by_name_number_and_stage(street, ben):
    written(ben)
    page = written(ben, name="Eli Stone", phone="", email="eli@example.com")
    ben.visit(page)
    ben.submit(f"{page}/stage", {"stage": "won"})
    for query, found in (
        ("?q=dana", "Dana Reed"),
        ("?q=0142", "Dana Reed"),
        ("?q=(303)+555-0142", "Dana Reed"),
        ("?stage=won", "Eli Stone"),
        ("?stage=won&q=eli@ex", "Eli Stone"),
    ):
        ben.visit(f"/leads{query}")
        other = "Eli Stone" if found == "Dana Reed" else "Dana Reed"
        assert found in ben.words and other not in ben.words, query
    ben.visit("/leads?q=0143")
    assert "Nobody here" in ben.words


def test_the_list_goes_on_page_by_page(street, ben, do, cast):
    def many(uow):
        for number in range(30):
            contact = Contact(f"Person {number:02d}", f"p{number}@example.com")
            take_lead(uow, enquiry=Enquiry(contact, "hand", consultant_id=cast.ben))

    do(many)
    ben.visit("/leads")
    assert "Person 29" in ben.words and "Person 04" not in ben.words
    older = ben.page.text.split('href="/leads?before=')[1].split('"')[0]
    ben.visit(f"/leads?before={older}")
    assert "Person 04" in ben.words and "Person 29" not in ben.words


def test_who_asked_for_it_has_no_links_and_is_marked(street, ben, signed_in):
    page = written(ben, email="dana@example.com")
    assert "tel:+13035550142" in ben.page.text and "mailto:dana@example.com" in ben.page.text
    ben.submit(f"{page}/stop", {"said": "no more calls"})
    ben.follow()

    assert "Do not contact" in ben.words and "no more calls" in ben.words
    assert "tel:" not in ben.page.text and "mailto:" not in ben.page.text and "0142" not in ben.page.text
    ben.visit("/leads")
    assert "do not contact" in ben.words
    export = ben.client.get("/leads/export.csv").text
    assert "do not contact" in export and "dana@example.com" not in export and "0142" not in export
    cem = signed_in("Cem")
    written(cem)
    assert "tel:" not in cem.page.text


def test_a_stop_cannot_be_got_round_by_another_number_and_the_page_says_what_may_be_done(street, ben):
    page = written(ben, email="dana@example.com")
    written(ben, email="dana@work.example")
    ben.visit(page)
    assert "another e-mail address" in ben.words and "dana@work.example" in ben.words
    ben.submit(f"{page}/stop", {"said": ""})
    ben.follow()
    for words in ("by phone and e-mail nothing may be done", "you may answer", "No consent of theirs stands"):
        assert words in ben.words, words
    assert "work.example" not in ben.page.text and "so it is not shown" in ben.words
    assert "only answer what they ask" not in ben.words
    changed = {
        "name": "Dana Reed",
        "email": "new@example.com",
        "phone": "720 555 0199",
        "region": "",
        "service": "",
    }
    assert ben.submit(f"{page}/details", {**changed, "region": "", "service": ""}).status_code == 303
    ben.follow()

    assert "by phone and e-mail nothing may be done" in ben.words and "mailto:" not in ben.page.text
    kept = street.read(lambda session: session.scalars(select(Person.email).join(Lead)).one())
    assert kept == "dana@example.com"


def test_leads_show_by_name_where_they_come_from_and_are_sought_by_it(street, ben, do, cast):
    named = (("form", "Home page"), ("form", "Fair"), ("api", "My CRM"), ("import", "spring.csv"))
    shown = ("by the form “Home page”", "by the form “Fair”", "from “My CRM”", "from the file spring.csv")

    def come(uow):
        for number, (source, name) in enumerate([*named, ("form", "")]):
            contact = Contact(f"Person {number}", f"p{number}@example.com")
            take_lead(uow, enquiry=Enquiry(contact, source, consultant_id=cast.ben, source_name=name))

    do(come)
    ben.visit("/leads")
    for words in (*shown, "by a form on a website"):
        assert words in ben.words, words
    for came, number in (("form:Home page", 0), ("form:Fair", 1), ("api:My CRM", 2), ("form:", 4)):
        ben.visit("/leads?" + urlencode({"came": came}))
        assert [each for each in range(5) if f"Person {each}" in ben.words] == [number], came
        assert f'value="{came}" selected' in ben.page.text
    ben.visit("/leads?came=form:Nothing")
    assert "Nobody here" in ben.words
    export = ben.client.get("/leads/export.csv").text
    assert "form,Home page," in export


def test_an_offer_is_shown_with_its_reasons_and_taken(street, ben, do, cast):
    def offered(uow):
        contact = Contact("Dana Reed", "dana@example.com", "303-555-0142", "", "CO")
        lead = take_lead(uow, enquiry=Enquiry(contact, "form", street.roof_id)).lead
        for other in uow.session.query(Consultant):
            other.status = "active" if other.id == cast.ben else "suspended"
        uow.session.flush()
        offers.route(uow, lead_id=lead.id)
        return lead.public_id

    lead = do(offered)
    ben.visit("/leads")
    assert "A lead waits for your answer: Dana R., Solar roof" in ben.words
    assert "the service is sold in Colorado" in ben.words and "0 open leads" in ben.words
    assert "0142" not in ben.page.text and "dana@" not in ben.page.text
    assert ben.visit(f"/leads/{lead}").status_code == 404
    ben.visit("/leads")
    offer = street.read(lambda session: session.scalars(select(LeadOffer.public_id)).one())
    ben.submit(f"/leads/offers/{offer}", {"answer": "yes"})
    ben.follow()
    assert "Dana Reed" in ben.words and "(303) 555-0142" in ben.words


def test_the_facts_of_a_new_lead_route_it_and_tell_the_consultant(street, do):
    do(
        lambda uow: (
            take_lead(uow, enquiry=Enquiry(Contact("Dana Reed", "d@example.com"), "form", street.roof_id))
            and None
        )
    )
    with street.app.app_context():
        relay.carry()
        reactions.drain_money()
        relay.carry()
        reactions.drain_mail()
    assert street.read(lambda session: session.scalars(select(Message.template)).all()) == ["lead_offered"]


def test_without_the_desk_in_the_plan_there_are_customers_only(street, signed_in, do, cast):
    def smart(uow):
        uow.session.get_one(Consultant, cast.ben).pack = "smart"

    do(smart)
    browser = signed_in("Ben")
    browser.visit("/customers")
    assert browser.page.status_code == 200 and 'href="/leads"' not in browser.page.text
    assert browser.visit("/leads").location.endswith("/customers")
    browser.visit("/customers")
    assert browser.submit("/leads/new", DANA).status_code == 404


def test_the_customers_page_shows_contracts_and_the_way_to_reach_them(street, ben, cast, do):
    do(vendor_says, street, cast.ben, state="active")
    do(vendor_says, street, cast.cem, state="active", email="other@example.com")
    ben.visit("/customers")

    assert "Dana Reed" in ben.words and "Solar roof, 8.4 kW, running" in ben.words
    assert "mailto:dana@example.com" in ben.page.text and "other@example.com" not in ben.page.text
    ben.visit("/customers?q=zoe")
    assert "Nobody found" in ben.words


def test_a_lead_that_signed_up_keeps_what_they_wrote(street, ben, visitor):
    customer = visitor()
    customer.visit(street.roof)
    customer.submit(street.roof, {**WRITTEN, "phone": ""})
    lead = street.read(lambda session: session.scalars(select(Lead.public_id)).one())
    ben.visit(f"/leads/{lead}")
    assert "They signed up on the page" in ben.words and "Size: 8.4" in ben.words
    assert "Agreed on" in ben.words
    ben.submit(
        f"/leads/{lead}/details",
        {
            "name": "Someone",
            "email": "other@example.com",
            "phone": "303-555-0150",
            "region": "CO",
            "service": "",
        },
    )
    person = street.read(
        lambda session: (lambda one: (one.name, one.email, one.phone))(
            session.scalars(select(Person).where(Person.name == "Dana Reed")).one()
        )
    )
    assert person == ("Dana Reed", "dana@example.com", "+13035550150")
    assert told(street, "lead.taken") == 1
