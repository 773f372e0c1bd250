"""The catalogue: every rule of a service is written in a form, kept by date, and never changed once used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members.packs import ensure_defaults
from portal.models import Audit, Inbox, Service, TermsVersion
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.vendors import Vera, activated, invite_vera, send

EVERYTHING = {
    "valid_from": "2026-12-01",
    "kind": "recurring",
    "volume_flat": "100",
    "volume_per_unit": "2.50",
    "revenue_flat_cents": "1,200.00",
    "revenue_per_unit_cents": "3",
    "signed_share": "20",
    "activated_share": "80",
    "residual_volume_flat": "5",
    "residual_revenue_flat_cents": "19.90",
    "share_vendor": "60",
    "share_company": "25",
    "share_consultant": "10",
    "share_upline": "3, 1.5, 0.5",
    "packs": ["plus", "smart"],
    "states": "CA, nv tx",
    "licence_kind": "solar",
    "licence_states": "CA",
    "required_fields": ["customer.address", "contract.size"],
    "cooling_off_days": "10",
}
NO_RESIDUAL = {"residual_volume_flat": "", "residual_revenue_flat_cents": ""}


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    with app.app_context():
        perform(ensure_defaults)
    return invite_vera(app, cast)


@pytest.fixture
def ada(cast: Cast, vera: Vera, visitor: Callable[[], Visitor]) -> Iterator[Visitor]:
    browser = visitor()
    browser.sign_in("ada@example.com", PASSWORD)
    browser.visit(solar(vera))
    yield browser


def solar(vera: Vera) -> str:
    return f"/admin/vendors/{vera.public_id}/services/solar"


def newest(app: Flask) -> TermsVersion:
    with app.app_context():
        return db.session.scalars(select(TermsVersion).order_by(TermsVersion.id.desc())).first()


def test_every_field_of_the_form_is_kept_as_it_was_written(app: Flask, ada: Visitor, vera: Vera) -> None:
    answer = ada.submit(solar(vera), EVERYTHING)

    kept = newest(app)
    assert answer.status_code == 303
    assert (kept.kind, kept.volume_per_unit, kept.revenue_flat_cents) == ("recurring", 250, 120_000)
    assert kept.milestones == {"signed": 2_000, "activated": 8_000}
    assert (kept.residual_volume_flat, kept.residual_revenue_flat_cents) == (500, 1_990)
    assert kept.shares == {"vendor": 6000, "company": 2500, "consultant": 1000, "upline": [300, 150, 50]}
    assert (kept.packs, kept.states) == (["plus", "smart"], ["CA", "NV", "TX"])
    assert (kept.licence_kind, kept.licence_states) == ("solar", ["CA"])
    assert kept.required_fields == ["customer.address", "contract.size"]
    assert kept.created_by is not None


def test_the_form_begins_with_what_the_newest_terms_say(ada: Visitor, vera: Vera) -> None:
    ada.submit(solar(vera), EVERYTHING)
    page = ada.visit(solar(vera)).text

    assert 'value="3, 1.50, 0.50"' in page
    assert 'value="1200.00"' in page
    assert 'value="CA, NV, TX"' in page
    assert "vendor 60%, company 25%, consultant 10%, upline 3% + 1.5% + 0.5%" in ada.words


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"share_vendor": "70"}, "These shares make 110% together; no more than 100% can be divided."),
        ({"share_vendor": "50"}, "These shares make 90% together; 10% belongs to nobody yet."),
        ({"share_upline": "three"}, "Please write shares like 3, 2, 1."),
        ({"signed_share": "30"}, "The shares of the milestones must make 100% together."),
        (
            {"kind": "one_off", "residual_volume_flat": "", "residual_revenue_flat_cents": ""},
            "at one milestone",
        ),
        ({"kind": "milestone"}, "Only a recurring service pays for each month."),
        (NO_RESIDUAL, "worth something for each month"),
        ({"states": "CA, XX", "licence_states": "CA"}, "XX is no state; two letters, like CA."),
        ({"licence_states": "FL"}, "It is not sold in FL."),
        ({"licence_kind": ""}, "Please say which licence these states ask for."),
        ({"licence_states": ""}, "Please say in which states this licence is needed."),
        ({"packs": ["gold"]}, "There is no plan gold."),
        ({"required_fields": ["customer.shoe"]}, "No event has a field customer.shoe."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    app: Flask, ada: Visitor, vera: Vera, wrong: dict[str, Any], said: str
) -> None:
    answer = ada.submit(solar(vera), EVERYTHING | wrong)

    assert answer.status_code == 422
    assert said in ada.words
    assert newest(app).valid_from.year == 2026
    assert newest(app).kind == "milestone"


def test_terms_from_a_past_day_are_kept_only_when_that_is_meant(app: Flask, ada: Visitor, vera: Vera) -> None:
    past = EVERYTHING | {"valid_from": (utc_now() - timedelta(days=20)).date().isoformat()}

    warned = ada.submit(solar(vera), past)
    words = ada.words
    meant = ada.submit(solar(vera), past | {"confirm_past": "y"})

    assert (warned.status_code, meant.status_code) == (422, 303)
    assert "This day is over" in words
    assert newest(app).kind == "recurring"


def test_terms_that_a_contract_has_are_never_taken_back(app: Flask, ada: Visitor, vera: Vera) -> None:
    ada.submit(solar(vera), EVERYTHING)
    send(app.test_client(), vera, activated(vera))
    with app.app_context():
        inbox.drain()

    ada.visit(solar(vera))
    assert "1 contract has these terms" in ada.words
    ada.submit(f"{solar(vera)}/terms/2026-01-01/remove")
    refused = ada.follow().text
    ada.submit(f"{solar(vera)}/terms/2026-12-01/remove")
    taken = ada.follow().text

    assert "A contract has these terms" in refused
    assert "These terms are taken back" in taken
    with app.app_context():
        assert db.session.scalars(select(TermsVersion.valid_from)).one().isoformat() == "2026-01-01"
    assert ada.submit(f"{solar(vera)}/terms/2026-12-01/remove").status_code == 404


def test_two_versions_stand_side_by_side(ada: Visitor, vera: Vera) -> None:
    ada.submit(solar(vera), EVERYTHING)

    ada.visit(f"{solar(vera)}/compare")

    assert "Volume 100 + 10 a kW 100 + 2.50 a kW changed" in ada.words
    assert "Sold in all states CA, NV, TX changed" in ada.words
    assert ada.visit(f"{solar(vera)}/compare?first=2020-02-02").status_code == 404


def test_a_withdrawn_service_can_be_sold_again(app: Flask, ada: Visitor, vera: Vera) -> None:
    ada.submit(f"{solar(vera)}/withdraw", {"withdrawn": "yes"})
    ada.follow()
    withdrawn = ada.words
    ada.submit(f"{solar(vera)}/withdraw", {"withdrawn": "no"})

    assert "Withdrawn since" in withdrawn
    with app.app_context():
        assert db.session.scalars(select(Service.withdrawn_at)).one() is None
        assert "service withdrawn" in db.session.scalars(select(Audit.action)).all()


def test_a_withdrawn_service_takes_no_new_contract_and_those_there_live_on(
    app: Flask, ada: Visitor, vera: Vera
) -> None:
    tomorrow = utc_now().date() + timedelta(days=1)
    events = (
        ("here", {"type": "service.signed", "milestone": "signed"}, "K1"),
        ("before", {"signed_on": tomorrow - timedelta(days=2)}, "K2"),
        ("after", {"signed_on": tomorrow}, "K3"),
        ("lives", {}, "K1"),
    )
    states = {}
    for name, told, ref in events:
        if name == "before":
            ada.submit(f"{solar(vera)}/withdraw", {"withdrawn": "yes"})
        send(app.test_client(), vera, activated(vera, contract_ref=ref, **told), event_id=name)
        with app.app_context():
            inbox.drain()
            row = db.session.scalars(select(Inbox).where(Inbox.event_id == name)).one()
            states[name] = row.state, row.last_error or ""

    refused = f"The service solar is withdrawn; it takes no contract signed on {tomorrow}."
    assert states["after"] == ("dead", refused)
    assert {states[name][0] for name in ("here", "before", "lives")} == {"done"}


def test_a_service_gets_another_name_and_sentence_and_keeps_its_code(
    app: Flask, ada: Visitor, vera: Vera
) -> None:
    answer = ada.submit(f"{solar(vera)}/name", {"name": "Sun roof ", "summary": "With a battery."})

    assert answer.status_code == 303
    ada.visit(solar(vera))
    assert "Terms of Sun roof" in ada.words and 'value="With a battery."' in ada.page.text
    with app.app_context():
        service = db.session.scalars(select(Service)).one()
        assert (service.code, service.name, service.summary) == ("solar", "Sun roof", "With a battery.")
        noted = db.session.scalars(select(Audit).where(Audit.action == "service described")).one()
        assert noted.detail["name"] == "Sun roof"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"name": " "}, "needs a name"), ({"name": ""}, "Please fill this in."), ({"name": "x" * 201}, "200")],
)
def test_a_service_keeps_its_name_where_the_new_one_is_none(
    app: Flask, ada: Visitor, vera: Vera, wrong: dict[str, str], said: str
) -> None:
    answer = ada.submit(f"{solar(vera)}/name", wrong)

    assert answer.status_code == 422 and said in ada.words
    with app.app_context():
        assert db.session.scalars(select(Service.name)).one() != wrong["name"]


def test_no_service_has_the_code_of_a_registration_plan(ada: Visitor, vera: Vera) -> None:
    path = f"/admin/vendors/{vera.public_id}/new-service"
    ada.visit(path)

    answer = ada.submit(path, EVERYTHING | {"code": "plus", "name": "Plus fee", "unit": "fee"})

    assert answer.status_code == 422
    assert "nothing may be paid on a registration" in ada.words
