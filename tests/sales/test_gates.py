"""A rule of the terms keeps a sale back with its reasons, and what was missing lets it go by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.models import Audit, Consultant, Contract, Customer, HeldSale, Inbox, Pack, Sale
from portal.sales import holds
from portal.store import UnitOfWork, perform
from tests.people import Cast
from tests.sales.rules import add_licence, held, limit_own_use, net, rule, tell
from tests.vendors import NOON, Vera, activated, cancelled, invite_vera, registered, send

SOLD = (184_00, 620_00)
CALIFORNIA = {"customer_state": "CA"}


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    found = invite_vera(app, cast)
    with app.app_context():
        yield found


LICENCE = {"licence_kind": "solar", "licence_states": ["CA"]}


@pytest.mark.parametrize(
    ("rules", "about", "codes"),
    [
        (LICENCE, CALIFORNIA, ["licence"]),
        (LICENCE, {}, ["required_field"]),
        (LICENCE, {"customer_state": "UT"}, []),
        ({"states": ["UT", "CA"]}, CALIFORNIA, []),
        ({"states": ["UT"]}, CALIFORNIA, ["state"]),
        ({"states": ["UT"]}, {}, ["required_field"]),
        ({"packs": ["smart"]}, {}, ["pack"]),
        ({"packs": ["smart", "plus"]}, {}, []),
        ({"required_fields": ["customer.phone", "contract.size"]}, {}, ["required_field"]),
        ({"required_fields": ["customer.phone"]}, {"customer_phone": "801-555-0123"}, []),
        ({"required_fields": ["contract.signed_on"]}, {"signed_on": None}, ["required_field"]),
        ({"required_fields": ["customer.age"], "states": ["UT"]}, CALIFORNIA, ["state", "required_field"]),
    ],
)
def test_each_rule_keeps_the_sale_back_with_its_reason(
    vera: Vera, rules: dict[str, Any], about: dict[str, Any], codes: list[str]
) -> None:
    rule(**rules)

    tell(vera, activated(vera, **about))

    assert held() == ([("held", 184_00, codes)] if codes else [])
    assert net() == ((0, 0) if codes else SOLD)
    assert db.session.scalars(select(Contract.state)).one() == "active"


@pytest.mark.parametrize(
    ("about", "is_covered"),
    [
        ({}, True),
        ({"region": "UT"}, False),
        ({"kind": "insurance"}, False),
        ({"state": "submitted"}, False),
        ({"expires_on": date(2026, 11, 1)}, False),
        ({"expires_on": date(2026, 11, 2)}, True),
        ({"valid_from": date(2026, 11, 3)}, False),
        ({"valid_from": date(2026, 11, 2)}, True),
    ],
)
def test_a_licence_counts_that_was_verified_and_covers_the_day_of_signing(
    vera: Vera, cast: Cast, about: dict[str, Any], is_covered: bool
) -> None:
    rule(**LICENCE)
    add_licence(cast.ben, **about)

    tell(vera, activated(vera, **CALIFORNIA))

    assert net() == (SOLD if is_covered else (0, 0))


def test_a_pack_with_core_vendors_alone_sells_no_other(vera: Vera) -> None:
    def write(uow: UnitOfWork) -> None:
        uow.session.get_one(Pack, "plus").features = {"vendors": "core"}

    perform(write)
    tell(vera, activated(vera))
    before = net()
    perform(lambda uow: setattr(uow.session.scalars(select(Customer)).unique().one().vendor, "core", False))
    tell(vera, activated(vera, contract_ref="K2"))

    assert (before, net(), held()) == (SOLD, SOLD, [("held", 184_00, ["pack"])])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_field_that_comes_later_lets_the_sale_go_in_any_order(vera: Vera, order: tuple[int, ...]) -> None:
    rule(required_fields=["customer.phone", "customer.email", "customer.state"])
    told = [
        activated(vera),
        registered(vera, customer_phone="801 555 0123", customer_email="rosa@example.com"),
        activated(vera, type="service.signed", milestone="signed", **CALIFORNIA),
    ]

    tell(vera, *(told[place] for place in order))

    assert net() == SOLD
    assert all(state == "released" for state, *_ in held())


def test_a_verified_licence_releases_what_it_covers_and_nothing_else(vera: Vera, cast: Cast) -> None:
    rule(**LICENCE, required_fields=[])
    tell(
        vera, activated(vera, **CALIFORNIA), activated(vera, contract_ref="K2", signed_on=date(2025, 12, 31))
    )
    rule(required_fields=["customer.state"])
    add_licence(cast.ben)

    released = perform(lambda uow: holds.release_covered(uow, consultant_id=cast.ben))

    assert (released, net()) == (1, SOLD)
    assert [state for state, *_ in held()] == ["released", "held"]
    assert perform(lambda uow: holds.release_covered(uow, consultant_id=cast.ben)) == 0


def test_what_is_held_follows_its_size_and_goes_with_a_cancellation(vera: Vera) -> None:
    rule(states=["UT"])
    larger = activated(vera, type="service.changed", milestone="", size_thousandths=10_000)
    tell(vera, activated(vera, **CALIFORNIA), larger)
    grown = held()
    tell(vera, cancelled(vera))

    assert grown == [("held", 200_00, ["state"])]
    assert held() == [("gone", 200_00, ["state"])]
    assert net() == (0, 0)


def _held_id() -> str:
    return db.session.scalars(select(HeldSale.public_id)).one()


def test_released_by_a_person_it_is_sold_in_the_open_cycle_and_stays_sold(vera: Vera, cast: Cast) -> None:
    rule(states=["UT"])
    tell(vera, activated(vera, **CALIFORNIA))
    public_id = _held_id()

    perform(lambda uow: holds.release(uow, public_id=public_id, actor_id=cast.fin, note="Agreed") and None)
    sold = net()
    tell(vera, activated(vera, type="service.changed", milestone="", size_thousandths=10_000))

    assert (sold, net()) == (SOLD, (200_00, 700_00))
    row = db.session.scalars(select(HeldSale)).unique().one()
    assert (row.state, row.settled_by, row.settled_note) == ("released", cast.fin, "Agreed")
    assert db.session.scalars(select(Sale.cycle_id).distinct()).all() == [cast.cycle]
    assert "held sale released" in db.session.scalars(select(Audit.action)).all()


def test_refused_it_is_never_sold_whatever_comes_after(vera: Vera, cast: Cast) -> None:
    rule(states=["UT"])
    tell(vera, activated(vera, **CALIFORNIA))
    public_id = _held_id()

    perform(lambda uow: holds.refuse(uow, public_id=public_id, actor_id=cast.fin, note="Not ours") and None)
    rule(states=[])
    tell(vera, activated(vera, type="service.changed", milestone="", size_thousandths=10_000))

    assert (net(), [state for state, *_ in held()]) == ((0, 0), ["refused"])
    with pytest.raises(Conflict, match="settled already"):
        perform(lambda uow: holds.release(uow, public_id=public_id, actor_id=cast.fin, note="No") and None)


def test_settling_needs_a_reason_and_something_that_is_held(vera: Vera, cast: Cast) -> None:
    rule(states=["UT"])
    tell(vera, activated(vera, **CALIFORNIA))
    public_id = _held_id()

    with pytest.raises(BadInput, match="write why"):
        perform(lambda uow: holds.release(uow, public_id=public_id, actor_id=cast.fin, note="  ") and None)
    with pytest.raises(NotYours):
        perform(lambda uow: holds.refuse(uow, public_id="nothing", actor_id=cast.fin, note="No") and None)


def _email_of(consultant_id: int) -> str:
    return db.session.get_one(Consultant, consultant_id).person.email


def test_own_use_is_noticed_and_counts_up_to_its_monthly_limit(vera: Vera, cast: Cast) -> None:
    limit_own_use(250_00)
    own = {"customer_email": _email_of(cast.ben).upper()}
    tell(vera, activated(vera, **own), activated(vera, contract_ref="K2", **own))
    this_month = net()
    later = {"contract_ref": "K3", "occurred_at": NOON - timedelta(days=31), **own}
    tell(vera, activated(vera, **later))

    customer = db.session.scalars(select(Customer)).unique().one()
    assert (customer.own_use, customer.verified_at) == (True, None)
    assert this_month[0] == 250_00
    assert held() == [("held", 118_00, ["own_use"])]
    assert net()[0] == 250_00 + 184_00


def test_what_is_told_of_another_contract_lets_a_held_sale_go(vera: Vera) -> None:
    rule(required_fields=["customer.phone"])

    tell(vera, activated(vera), activated(vera, contract_ref="K2", customer_phone="801-555-0123"))

    assert [state for state, *_ in held()] == ["released"]
    assert net()[0] == 2 * 184_00


def test_own_use_is_judged_by_the_month_in_which_it_was_reached(vera: Vera, cast: Cast) -> None:
    """October's activation waits for its age until November, and takes no room of November's."""
    limit_own_use(200_00)
    rule(required_fields=["customer.age"])
    own = {"customer_email": _email_of(cast.ben)}
    october = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    late = activated(vera, contract_ref="K1", occurred_at=october, **own)
    age = activated(vera, type="service.signed", milestone="signed", customer_age=50, **own)
    tell(vera, late, activated(vera, contract_ref="K2", customer_age=50, **own), age)

    volumes = db.session.execute(select(Sale.occurred_at, Sale.volume).order_by(Sale.occurred_at)).all()
    assert [tuple(row) for row in volumes] == [(october, 184_00), (NOON + timedelta(hours=1), 184_00)]
    assert [state for state, *_ in held()] == ["released"]


def test_the_month_of_own_use_ends_at_midnight_utc(vera: Vera, cast: Cast) -> None:
    limit_own_use(184_00)
    own = {"customer_email": _email_of(cast.ben)}
    denver = timezone(timedelta(hours=-6))
    for number, hour in enumerate((17, 18)):
        at = datetime(2026, 10, 31, hour, tzinfo=denver)
        tell(vera, activated(vera, contract_ref=f"K{number}", occurred_at=at, **own))

    assert (net()[0], held()) == (2 * 184_00, [])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_small_contract_that_grows_has_no_more_room_than_a_large_one(
    vera: Vera, cast: Cast, order: tuple[int, ...]
) -> None:
    """It grows twice, once in a later month; its own month's room is all that it gets in any order."""
    limit_own_use(250_00)
    own = {"customer_email": _email_of(cast.ben)}
    grows = {"type": "service.changed", "milestone": "", **own}
    told = [
        activated(vera, size_thousandths=1_000, **own),
        activated(vera, occurred_at=NOON + timedelta(days=1), size_thousandths=10_000, **grows),
        activated(vera, occurred_at=NOON + timedelta(days=30), size_thousandths=40_000, **grows),
    ]

    tell(vera, *(told[place] for place in order))

    assert net()[0] == 250_00
    assert held() == [("held", 250_00, ["own_use"])]
    assert set(db.session.scalars(select(Sale.occurred_at))) == {NOON + timedelta(hours=1)}


def test_growth_that_a_person_released_is_not_limited_again(vera: Vera, cast: Cast) -> None:
    limit_own_use(200_00)
    own = {"customer_email": _email_of(cast.ben)}
    grows = {"type": "service.changed", "milestone": "", **own}
    tell(vera, activated(vera, **own), activated(vera, size_thousandths=20_000, **grows))
    public_id = _held_id()

    perform(lambda uow: holds.release(uow, public_id=public_id, actor_id=cast.fin, note="Agreed") and None)
    tell(vera, activated(vera, occurred_at=NOON + timedelta(days=1), size_thousandths=30_000, **grows))

    assert net()[0] == 400_00


def test_another_household_has_no_limit_and_is_verified_by_its_vendor(vera: Vera) -> None:
    limit_own_use(1_00)
    tell(vera, activated(vera, customer_name="Rosa Diaz", customer_email="rosa@example.com"))

    customer = db.session.scalars(select(Customer)).unique().one()
    assert (customer.own_use, customer.verified_by, net()) == (False, "vendor", SOLD)
    assert customer.verified_at == NOON + timedelta(hours=1)


def test_the_same_phone_or_address_is_the_same_household(vera: Vera, cast: Cast) -> None:
    def write(uow: UnitOfWork) -> None:
        from portal.store.people import Contact, keep_contact

        person = uow.session.get_one(Consultant, cast.ben).person
        keep_contact(person, Contact("", phone="801-555-0123", address="1 Elm St, Provo"))

    perform(write)
    tell(
        vera,
        registered(vera, customer_ref="C1", customer_phone="+1 (801) 555 0123"),
        registered(vera, customer_ref="C2", customer_name="Ann", customer_address="1 ELM ST PROVO"),
        registered(vera, customer_ref="C3", customer_name="Ann", customer_address="2 Elm St, Provo"),
    )

    marks = db.session.execute(select(Customer.ref, Customer.own_use).order_by(Customer.ref)).all()
    assert [tuple(row) for row in marks] == [("C1", True), ("C2", True), ("C3", False)]


def test_the_sender_reads_what_came_of_an_event_and_what_keeps_it(app: Flask, vera: Vera) -> None:
    rule(**LICENCE)
    client = app.test_client()
    send(client, vera, activated(vera, customer_ref="C9", contract_ref="K9", consultant_code="NOBODY22"))
    send(client, vera, activated(vera, contract_ref="K2"), event_id="e2")
    inbox.drain()
    perform(lambda uow: setattr(uow.session.scalars(select(Contract)).unique().one(), "sold_in", "CA"))
    send(client, vera, cancelled(vera), event_id="e3")
    send(client, vera, cancelled(vera, service_code="solar"), event_id="e4")
    inbox.drain()

    rows = db.session.execute(select(Inbox.state, Inbox.problem, Inbox.outcome).order_by(Inbox.id)).all()
    assert [tuple(row) for row in rows] == [
        ("retry", "consultant_code", None),
        ("done", None, "held: activated, 184 volume, $620.00; the state it was sold in is missing"),
        ("done", None, "noted; the contract is cancelled"),
        ("ignored", None, "This was said of the contract K1 before."),
    ]
