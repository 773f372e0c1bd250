"""What a vendor sends once a day, and what it may read of people who asked for its services."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.ids import new_id
from portal.models import Consent, ConsentText, Customer, Lead, LeadStep, Person, Statement, StatementLine
from portal.store import UnitOfWork, perform
from portal.store.people import Contact, add_person, stop_person
from tests.people import Cast
from tests.vendors import Vera, ask, invite_vera, knock

YESTERDAY = (utc_now() - timedelta(days=1)).date().isoformat()
LINE: dict[str, Any] = {
    "type": "service.activated",
    "occurred_at": f"{YESTERDAY}T14:03:00Z",
    "contract": {"ref": "K1", "service": "solar", "size": "8.4", "signed_on": "2026-10-02"},
    "customer": {"ref": "C1", "state": "CA"},
    "revenue": "620.00",
}


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def state(app: Flask, vera: Vera, day: object, lines: list[Any]) -> Any:
    body = json.dumps({"day": day, "lines": lines}).encode()
    return knock(app.test_client(), vera, "POST", "statements", body)


def test_a_statement_is_kept_line_by_line(app: Flask, vera: Vera) -> None:
    renewed = {
        "type": "service.renewed",
        "occurred_at": f"{YESTERDAY}T15:00Z",
        "contract": {"ref": "K2", "period": "2026-11"},
    }
    answer = state(app, vera, YESTERDAY, [LINE, renewed])

    assert (answer.status_code, answer.json["day"], answer.json["lines"]) == (202, YESTERDAY, 2)
    with app.app_context():
        kept = db.session.scalars(select(Statement)).unique().one()
        first, second = db.session.scalars(select(StatementLine).order_by(StatementLine.line))
    assert (kept.public_id, kept.vendor_id, kept.source) == (answer.json["id"], vera.vendor_id, "api")
    assert kept.day == date.fromisoformat(YESTERDAY)
    assert (first.line, first.type, first.contract_ref, first.sold_in) == (1, "service.activated", "K1", "CA")
    assert (first.size_thousandths, first.revenue_cents, first.signed_on) == (
        8_400,
        620_00,
        date(2026, 10, 2),
    )
    assert (second.line, second.period, second.size_thousandths, second.revenue_cents) == (
        2,
        "2026-11",
        None,
        None,
    )
    assert first.occurred_at.astimezone(UTC) == datetime.fromisoformat(f"{YESTERDAY}T14:03:00+00:00")


@pytest.mark.parametrize(
    ("day", "lines", "field"),
    [
        ("2026-02-30", [LINE], "day"),
        (None, [LINE], "day"),
        (YESTERDAY, [], "lines"),
        (YESTERDAY, "all", "lines"),
        (YESTERDAY, [LINE, "nothing"], "lines.1.line"),
        (YESTERDAY, [{**LINE, "revenue": 620.0}], "lines.0.revenue"),
        (YESTERDAY, [{**LINE, "contract": {}}], "lines.0.contract.ref"),
        (YESTERDAY, [LINE, {**LINE, "type": "service.refunded"}], "lines.1.refund.share"),
        (YESTERDAY, [{**LINE, "colour": "red"}], "lines.0.colour"),
        ("2999-01-01", [LINE], "day"),
    ],
)
def test_a_statement_that_cannot_be_read_names_the_field(
    app: Flask, vera: Vera, day: object, lines: Any, field: str
) -> None:
    answer = state(app, vera, day, lines)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]
    with app.app_context():
        assert db.session.scalars(select(Statement)).unique().all() == []


def sign_up(app: Flask, vera: Vera, cast: Cast, name: str, **more: Any) -> tuple[str, int]:
    """Somebody on the sign-up page; the public id of the lead and the person's id."""

    def write(uow: UnitOfWork) -> tuple[str, int]:
        then = uow.clock() - timedelta(minutes=more.get("minutes", 5))
        email = f"{name.split()[0].lower()}@example.com"
        person = add_person(uow, Contact(name, email, "303 555 0142", "1 Elm St, Provo", "UT"))
        customer = Customer(
            public_id=new_id(),
            vendor_id=vera.vendor_id,
            ref=new_id(),
            consultant_id=cast.ben,
            person_id=person.id,
            registered_at=then,
        )
        uow.session.add(customer)
        if uow.session.get(ConsentText, "signup-1") is None:
            uow.session.add(
                ConsentText(
                    version="signup-1", purpose="signup", body="Yes.", sha256="a" * 64, published_at=then
                )
            )
        uow.session.flush()
        lead = Lead(
            public_id=new_id(),
            person_id=person.id,
            consultant_id=cast.ben,
            service_id=vera.service_id,
            customer_id=customer.id,
            stage="proposal",
            source="signup",
            created_at=then,
            changed_at=then,
        )
        uow.session.add(lead)
        uow.session.flush()
        detail = {"size_thousandths": 8_400}
        uow.session.add(LeadStep(lead_id=lead.id, kind="signup", text="", detail=detail, at=then))
        if more.get("agreed", True):
            uow.session.add(
                Consent(
                    person_id=person.id,
                    purpose="signup",
                    text_version="signup-1",
                    text_sha256="a" * 64,
                    source="signup",
                    given_at=then,
                    withdrawn_at=then if more.get("withdrawn") else None,
                )
            )
        return lead.public_id, person.id

    with app.app_context():
        return perform(write)


def test_a_vendor_learns_who_signed_up_for_it(app: Flask, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    lead, _ = sign_up(app, vera, cast, "Rosa Diaz")

    answer = ask(app.test_client(), vera, "signups").json

    assert answer and answer["next"] is None
    [signup] = answer["signups"]
    assert (signup["id"], signup["service"], signup["size"]) == (lead, "solar", "8.400")
    assert signup["consultant_code"] == vera.ben
    customer = signup["customer"]
    assert (customer["name"], customer["email"], customer["phone"]) == (
        "Rosa Diaz",
        "rosa@example.com",
        "+13035550142",
    )
    assert (customer["address"], customer["state"], customer["verified"]) == ("1 Elm St, Provo", "UT", False)
    assert signup["consent"]["version"] == "signup-1"
    assert ask(app.test_client(), other, "signups").json == {"signups": [], "next": None}


def test_who_did_not_agree_or_took_it_back_is_not_told(app: Flask, vera: Vera, cast: Cast) -> None:
    sign_up(app, vera, cast, "Nora Never", agreed=False)
    sign_up(app, vera, cast, "Theo Then", withdrawn=True)
    told, _ = sign_up(app, vera, cast, "Rosa Diaz")

    answer = ask(app.test_client(), vera, "signups").json

    assert answer and [signup["id"] for signup in answer["signups"]] == [told]


def test_where_somebody_is_left_alone_the_channel_is_empty(app: Flask, vera: Vera, cast: Cast) -> None:
    _, person_id = sign_up(app, vera, cast, "Rosa Diaz")
    with app.app_context():
        perform(
            lambda uow: stop_person(
                uow, uow.session.get_one(Person, person_id), reason="asked", asked_by=None
            )
        )

    answer = ask(app.test_client(), vera, "signups").json

    assert answer
    [signup] = answer["signups"]
    assert (signup["customer"]["email"], signup["customer"]["phone"]) == (None, None)
    assert signup["do_not_contact_by"] == ["email", "phone"]


def test_signups_are_read_page_by_page_in_the_order_they_came(app: Flask, vera: Vera, cast: Cast) -> None:
    names = [f"Person{number} P." for number in range(5)]
    ids = [
        sign_up(app, vera, cast, name, minutes=minutes)[0]
        for name, minutes in zip(names, (5, 9, 7, 7, 3), strict=True)
    ]

    pages, after = [], ""
    while after is not None:
        page = ask(app.test_client(), vera, f"signups?limit=2{after and '&after=' + after}").json
        assert page
        pages.append([signup["id"] for signup in page["signups"]])
        after = page["next"]

    assert pages == [[ids[1], ids[2]], [ids[3], ids[0]], [ids[4]]]
    assert ask(app.test_client(), vera, "signups?after=unknown").status_code == 404
