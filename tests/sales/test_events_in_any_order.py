"""The same events give the same books, in whatever order and how often they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, ContractFact, Customer, Outbox, Person, Sale
from portal.sales import service
from portal.sales.refusals import NothingToDo, NotYetKnown
from portal.store import perform
from tests.people import Cast
from tests.vendors import NOON, Vera, activated, cancelled, invite_vera, registered

EFFECTS: dict[str, Callable[..., Any]] = {
    "customer.registered": service.register_customer,
    "service.signed": service.take_event,
    "service.installed": service.take_event,
    "service.activated": service.take_event,
    "service.cancelled": service.take_event,
}
ORDERS = list(permutations(["registered", "activated", "cancelled"]))


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


@pytest.fixture
def in_app(app: Flask) -> Any:
    with app.app_context():
        yield


def apply(vera: Vera, *events: VendorEvent) -> None:
    for event in events:
        perform(lambda uow, event=event: EFFECTS[event.type](uow, vendor_id=vera.vendor_id, event=event))


def apply_leniently(vera: Vera, events: Sequence[VendorEvent]) -> None:
    for event in events:
        with suppress(NothingToDo):
            apply(vera, event)


def sums() -> tuple[int, int]:
    volume, revenue = db.session.execute(select(func.sum(Sale.volume), func.sum(Sale.revenue_cents))).one()
    return volume or 0, revenue or 0


def only(model: type[Any]) -> Any:
    return db.session.scalars(select(model)).unique().one()


@pytest.mark.usefixtures("in_app")
def test_an_activation_alone_brings_customer_contract_and_sale(vera: Vera, cast: Cast) -> None:
    apply(vera, activated(vera))

    sale, contract = only(Sale), only(Contract)
    assert (sale.volume, sale.revenue_cents) == (184_00, 620_00)
    assert (sale.consultant_id, sale.cycle_id, sale.milestone) == (cast.ben, cast.cycle, "activated")
    assert (sale.occurred_at, contract.state) == (NOON + timedelta(hours=1), "active")
    assert only(Customer).person_id is None
    names = db.session.scalars(select(Outbox.name).order_by(Outbox.id)).all()
    assert names == ["customer.registered", "sale.recorded"]


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_every_order_of_registration_activation_and_cancellation_ends_the_same(
    vera: Vera, cast: Cast, order: tuple[str, ...]
) -> None:
    make = {"registered": registered, "activated": activated, "cancelled": cancelled}
    events = [make[name](vera) for name in order]

    apply_leniently(vera, [*events, *events, *reversed(events)])

    rows = db.session.execute(select(Sale.volume, Sale.revenue_cents, Sale.consultant_id).order_by(Sale.id))
    is_sold_first = order.index("activated") < order.index("cancelled")
    sold = [(184_00, 620_00, cast.ben), (-184_00, -620_00, cast.ben)]
    assert rows.all() == (sold if is_sold_first else [])
    contract = only(Contract)
    assert (contract.state, contract.cancelled_at) == ("cancelled", NOON + timedelta(hours=2))
    assert contract.activated_at == NOON + timedelta(hours=1)
    assert only(Customer).consultant_id == cast.ben
    facts = db.session.execute(select(Outbox.name, func.count().label("number")).group_by(Outbox.name)).all()
    of_sales = {"sale.recorded": 1, "sale.reversed": 1} if is_sold_first else {}
    assert {fact.name: fact.number for fact in facts} == {"customer.registered": 1, **of_sales}


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_each_order_is_settled_at_once_and_not_by_a_repetition(vera: Vera, order: tuple[str, ...]) -> None:
    make = {"registered": registered, "activated": activated, "cancelled": cancelled}

    apply_leniently(vera, [make[name](vera) for name in order])

    assert sums() == (0, 0)
    is_sold_first = order.index("activated") < order.index("cancelled")
    assert db.session.scalar(select(func.count(Sale.id))) == (2 if is_sold_first else 0)


@pytest.mark.usefixtures("in_app")
def test_an_activation_that_tells_no_size_keeps_the_one_that_was_signed(vera: Vera) -> None:
    signed = activated(vera, type="service.signed", milestone="signed", size_thousandths=7_000)

    apply(vera, signed, activated(vera, size_thousandths=0))

    assert sums() == (170_00, 550_00)


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1)])
def test_an_activation_after_the_cancellation_is_kept_and_pays_nothing(vera: Vera, late: timedelta) -> None:
    apply(vera, cancelled(vera))

    apply(vera, activated(vera, occurred_at=NOON + timedelta(hours=2) + late))

    assert sums() == (0, 0)
    assert (only(Contract).state, only(Contract).activated_at) == ("cancelled", None)
    assert db.session.scalar(select(func.count(ContractFact.id))) == 2


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_signing_installing_and_activating_may_come_in_any_order(vera: Vera, order: tuple[int, ...]) -> None:
    steps = [
        activated(vera, type="service.signed", milestone="signed", size_thousandths=7_000),
        activated(vera, type="service.installed", milestone="installed", size_thousandths=8_000),
        activated(vera),
    ]

    apply(vera, *(steps[position] for position in order))

    contract = only(Contract)
    assert (contract.state, contract.size_thousandths) == ("active", 8_400)
    assert sums() == (184_00, 620_00)


@pytest.mark.usefixtures("in_app")
def test_the_first_consultant_of_a_customer_stays(vera: Vera, cast: Cast) -> None:
    apply(vera, registered(vera), activated(vera, consultant_code=vera.ana))

    assert only(Customer).consultant_id == cast.ben
    assert only(Sale).consultant_id == cast.ben


@pytest.mark.usefixtures("in_app")
def test_a_person_is_kept_only_when_the_vendor_gives_a_name(vera: Vera) -> None:
    apply(vera, registered(vera))
    before = db.session.scalar(select(func.count(Person.id)))

    apply(vera, activated(vera, customer_name="Rosa Diaz", customer_email="rosa@example.com"))

    assert db.session.scalar(select(func.count(Person.id))) == (before or 0) + 1
    assert only(Customer).person.short_name == "Rosa D."


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"consultant_code": "NOBODY22"}, "no consultant"),
        ({"consultant_code": ""}, "names no consultant"),
        ({"service_code": "wind"}, "no service wind"),
        ({"service_code": ""}, "names no service"),
    ],
)
def test_what_is_not_known_yet_is_told_and_leaves_no_trace(
    vera: Vera, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotYetKnown, match=reason):
        apply(vera, activated(vera, **change))

    for model in (Customer, Contract, Sale, Outbox):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0


@pytest.mark.usefixtures("in_app")
def test_a_vendor_touches_only_its_own_contracts(app: Flask, vera: Vera, cast: Cast) -> None:
    apply(vera, activated(vera))
    other = invite_vera(app, cast, name="Other Solar")

    apply(other, cancelled(other))

    states = db.session.execute(select(Contract.vendor_id, Contract.state).order_by(Contract.id)).all()
    assert states == [(vera.vendor_id, "active"), (other.vendor_id, "cancelled")]
    assert sums() == (184_00, 620_00)
