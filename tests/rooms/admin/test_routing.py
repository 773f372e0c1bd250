"""The company decides who is asked about leads, what people agree to, and who is left alone."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.leads import offers
from portal.leads.consents import current_text, ensure_texts
from portal.leads.criteria import SHIPPED
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import Consultant, ContactStop, Lead, LeadOffer, LeadStep, RoutingRule
from portal.store import people
from portal.store.people import Contact
from tests.rooms.desk.conftest import Street, street

__all__ = ["street"]

ORDER = {"place_state": 1, "place_licence": 2, "place_plan": 3, "place_load": 5, "place_rest": 4}
WEIGHTS = {f"weight_{code}": weight for code, weight in SHIPPED} | {"weight_rest": 7}
DECIDED = {**ORDER, **WEIGHTS, "answer_hours": 6}


@pytest.fixture
def ada(signed_in, street):
    return signed_in("Ada")


def asked_for(uow, street: Street, *, region="TX", number=1):
    """A lead nobody may be asked about, since the roof is sold in Colorado alone; routed once."""
    contact = Contact("Dana Reed", f"dana{number}@example.com", "", "", region)
    lead = take_lead(uow, enquiry=Enquiry(contact, "form", street.roof_id)).lead
    offers.route(uow, lead_id=lead.id)
    return lead.public_id


def test_the_order_and_the_weights_are_decided_on_the_page(ada, street):
    ada.visit("/admin/routing")
    ada.submit("/admin/routing", DECIDED)
    rule = street.read(lambda session: session.scalars(select(RoutingRule)).one())

    assert rule.answer_hours == 6
    assert [row["code"] for row in rule.criteria] == ["state", "licence", "plan", "rest", "load"]
    assert rule.criteria[3]["weight"] == 7
    for changes in ({"answer_hours": 0}, {"weight_load": 11}, {"weight_load": 0, "weight_rest": 0}):
        assert ada.submit("/admin/routing", {**DECIDED, **changes}).status_code == 422


def test_the_preview_names_who_would_be_asked_and_why_nobody(ada, street):
    ada.visit(f"/admin/routing?service={street.roof_id}&state=CO")
    assert "of 500 points" in ada.words and "the service is sold in Colorado" in ada.words
    ada.visit(f"/admin/routing?service={street.roof_id}&state=TX")
    assert "Nobody would be asked" in ada.words and "not sold in this state" in ada.words
    ada.visit("/admin/routing?service=99999&state=ZZ")
    assert ada.page.status_code == 200


def test_a_lead_that_waits_is_given_to_somebody_by_hand(ada, street, do, cast):
    lead = do(asked_for, street)
    ada.visit("/admin/routing")
    assert "Dana Reed" in ada.words and "not sold in this state" in ada.words
    ada.submit(f"/admin/routing/leads/{lead}", {"code": ""})
    ada.follow()
    assert "still nobody" in ada.words
    assert ada.submit(f"/admin/routing/leads/{lead}", {"code": "NOBODY22"}).status_code == 422
    assert f'value="NOBODY22" aria-invalid="true" aria-describedby="wrong-{lead}"' in ada.page.text
    assert "Nobody active has this code" in ada.words
    assert ada.submit("/admin/routing/leads/nothing", {"code": ""}).status_code == 404
    code = street.read(lambda session: session.get_one(Consultant, cast.dia).code)
    ada.visit("/admin/routing")
    whose = select(Lead.consultant_id)
    assert ada.submit(f"/admin/routing/leads/{lead}", {"code": code}).status_code == 422
    assert "not sold in this state" in ada.words and f'value="{code}"' in ada.page.text
    assert re.search(r'href="/admin/routing"[^>]*aria-current="page"', ada.page.text)
    assert street.read(lambda session: session.scalars(whose).one()) is None
    ada.submit(f"/admin/routing/leads/{lead}", {"code": code, "reason": "They move to Colorado."})
    assert street.read(lambda session: session.scalars(whose).one()) == cast.dia
    text = select(LeadStep.text).where(LeadStep.kind == "assigned")
    assert street.read(lambda session: session.scalars(text).one()) == "They move to Colorado."


def test_a_text_is_published_and_the_earlier_one_stays(ada, street, do):
    do(ensure_texts)
    ada.visit("/admin/consents")
    new = {"purpose": "signup", "version": "signup-2", "body": "The company may keep my details. " * 3}
    assert ada.submit("/admin/consents", {**new, "body": "short"}).status_code == 422
    assert ada.submit("/admin/consents", {**new, "version": "signup-1"}).status_code == 409
    ada.submit("/admin/consents", new)
    ada.follow()

    assert "signup-1" in ada.words and "signup-2" in ada.words
    assert street.read(lambda session: current_text(session, "signup").version) == "signup-2"


def test_an_address_is_stopped_and_let_go_and_never_shown(ada, street, do):
    lead = do(asked_for, street, region="CO", number=7)
    ada.visit("/admin/consents/stops")
    ada.submit("/admin/consents/stops", {"reached": "Dana7@Example.com", "reason": "wrote to us"})
    ada.follow()
    assert "Nobody may contact it any more" in ada.words and "wrote to us" in ada.words
    assert "dana7@" not in ada.page.text.lower() and lead
    assert street.read(lambda session: session.scalars(select(LeadOffer.state)).all()) == ["withdrawn"]
    assert ada.submit("/admin/consents/stops", {"reached": "nobody"}).status_code == 422
    ada.submit("/admin/consents/stops", {"reached": "dana7@example.com", "lift": "1"})

    stop = street.read(lambda session: session.scalars(select(ContactStop)).one())
    assert stop.ended_at is not None and stop.mark == street.read(
        lambda session: people.mark_of("email", "dana7@example.com")
    )


def test_a_consultant_decides_none_of_it(signed_in, street):
    ben = signed_in("Ben")
    for path in ("/admin/routing", "/admin/consents", "/admin/consents/stops"):
        assert ben.visit(path).status_code == 403
