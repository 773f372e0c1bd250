"""A fact that is taken back counts as never said, whatever came first, last, or twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import WITHDRAWN, VendorEvent, withdrawal_key
from portal.models import Contract, ContractFact, Inbox, Sale
from portal.sales import history
from portal.sales.contracts import find_or_open
from portal.sales.facts import keep_fact
from portal.sales.foreseen import Told, foresee
from portal.store import UnitOfWork, perform
from portal.store.inbox import Arrival, receive, vendor_source
from tests.people import Cast
from tests.sales.histories import arrive, end_of, fact_of, life, named, pay_by_steps_and_months, work_off
from tests.vendors import Vera, activated, cancelled, invite_vera, send

LIVES, ORDERS = 3, 3


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    found = invite_vera(app, cast)
    with app.app_context():
        perform(pay_by_steps_and_months)
        yield found


class _Undone(Exception):
    """Nothing of this unit of work stays."""


def opened(vera: Vera, event: VendorEvent) -> None:
    """The contract of an event is here before anything was said of it."""
    perform(lambda uow: find_or_open(uow, vendor_id=vera.vendor_id, event=event) and None)


def key_of(event: VendorEvent) -> str:
    """The key that the fact of this event has, or will have."""
    found: list[str] = []

    def write(uow: UnitOfWork) -> None:
        contract = uow.session.scalars(select(Contract).where(Contract.ref == event.contract_ref)).unique()
        one = contract.one()
        mine = select(ContractFact.key).where(ContractFact.contract_id == one.id)
        before = set(uow.session.scalars(mine))
        assert keep_fact(uow, one, event), "it was said already"
        found.extend(set(uow.session.scalars(mine)) - before)
        raise _Undone

    with suppress(_Undone):
        perform(write)
    return found[0]


def withdrawal(vera: Vera, event: VendorEvent, key: str, *, number: int = 0) -> Arrival:
    """What settling a statement puts into the inbox to take the fact with this key back."""
    body = {
        "type": WITHDRAWN,
        "occurred_at": event.occurred_at.isoformat(),
        "customer": {"ref": event.customer_ref},
        "contract": {"ref": event.contract_ref},
        "fact": key,
    }
    return Arrival(
        vendor_source(vera.vendor_id),
        f"back-{key}-{number}",
        kind=WITHDRAWN,
        body=json.dumps(body).encode(),
        vendor_id=vera.vendor_id,
        object_ref=event.contract_ref,
        found_by="statement",
    )


def take_back(*arrivals: Arrival) -> None:
    for arrival in arrivals:
        perform(lambda uow, arrival=arrival: receive(uow, arrival=arrival) and None)


def test_a_life_ends_as_if_what_was_withdrawn_had_never_been_said(app: Flask, vera: Vera) -> None:
    chance, now = random.Random(17), utc_now()
    moved = 0
    for number in range(LIVES):
        first, *others = life(vera, chance)
        # Its size stays known whatever else is taken back.
        events = [replace(first, size_thousandths=7_000), *others]
        gone = chance.sample(events[1:], k=min(len(events) - 1, 2))
        plain = [named(event, f"{number}-plain") for event in events if event not in gone]
        arrive(vera, [(f"{number}-plain-{at}", event) for at, event in enumerate(plain)], at=now)
        work_off(app, at=now)
        for order in range(ORDERS):
            tell_mixed(app, vera, f"{number}-{order}", events, gone, chance=chance)
            assert end_of(f"{number}-{order}") == end_of(f"{number}-plain")
        moved += len(gone)
    assert moved > LIVES
    assert set(db.session.scalars(select(Inbox.state))) <= {"done", "ignored"}


def tell_mixed(
    app: Flask,
    vera: Vera,
    name: str,
    events: list[VendorEvent],
    gone: list[VendorEvent],
    *,
    chance: random.Random,
) -> None:
    """All of a life in any order, some twice, with what takes back in between, some of that twice too."""
    opened(vera, named(events[0], name))
    said: list[VendorEvent | Arrival] = [named(event, name) for event in events]
    backs = [withdrawal(vera, one, key_of(one)) for one in (named(event, name) for event in gone)]
    said += [named(event, name) for event in chance.choices(gone, k=1)]
    said += [*backs, replace(backs[0], event_id=f"{backs[0].event_id}-again")]
    chance.shuffle(said)
    for at, one in enumerate(said):
        if isinstance(one, Arrival):
            take_back(one)
        else:
            arrive(vera, [(f"{name}-{at}", one)], at=utc_now())
    work_off(app, at=utc_now())


def test_a_cancellation_taken_back_sells_again_what_it_had_taken_back(app: Flask, vera: Vera) -> None:
    sold = activated(vera, customer_state="UT")
    over = replace(cancelled(vera), customer_state="UT", size_thousandths=0, signed_on=None)
    arrive(vera, [("1", sold)], at=utc_now())
    work_off(app, at=utc_now())
    before = end_of("1")
    arrive(vera, [("2", over)], at=utc_now())
    work_off(app, at=utc_now())
    between = end_of("1")
    key = db.session.scalars(select(ContractFact.key).where(ContractFact.type == "service.cancelled")).one()

    take_back(withdrawal(vera, over, key))
    work_off(app, at=utc_now())
    first = db.session.scalars(select(Inbox).order_by(Inbox.id.desc())).first()
    take_back(withdrawal(vera, over, key, number=1))
    arrive(vera, [("3", over)], at=utc_now())
    work_off(app, at=utc_now())

    assert between["net"] == {} and between["state"] == "cancelled"
    assert end_of("1") == before and before["net"]
    assert first is not None and (first.outcome or "").startswith("sold: activated")
    states = {row.event_id: row.state for row in db.session.scalars(select(Inbox))}
    assert (states[f"back-{key}-1"], states["3"]) == ("ignored", "ignored")
    volumes = db.session.scalars(select(Sale.volume).order_by(Sale.id)).all()
    assert volumes == [volumes[0], -volumes[0], volumes[0]]


def test_a_contract_of_which_all_was_taken_back_is_cancelled_and_lives_by_its_next_fact(
    app: Flask, vera: Vera
) -> None:
    sold = activated(vera, customer_state="UT")
    arrive(vera, [("1", sold)], at=utc_now())
    work_off(app, at=utc_now())
    before = end_of("1")["net"]
    key = db.session.scalars(select(ContractFact.key)).one()

    take_back(withdrawal(vera, sold, key))
    work_off(app, at=utc_now())
    gone = end_of("1")
    later = replace(sold, occurred_at=sold.occurred_at + timedelta(hours=1))
    arrive(vera, [("2", later)], at=utc_now())
    work_off(app, at=utc_now())

    assert (gone["state"], gone["cancelled_at"], gone["net"]) == ("cancelled", sold.occurred_at, {})
    assert (end_of("1")["state"], end_of("1")["net"]) == ("active", before)


def test_what_takes_back_from_a_contract_that_is_not_here_waits(app: Flask, vera: Vera) -> None:
    take_back(withdrawal(vera, activated(vera), "contract-1-x"))
    work_off(app, at=utc_now())

    row = db.session.scalars(select(Inbox)).one()
    assert (row.state, row.problem) in (("retry", "contract.ref"), ("dead", "contract.ref"))


def test_no_vendor_can_take_a_fact_back(app: Flask, vera: Vera) -> None:
    body = withdrawal(vera, activated(vera), "contract-1-x").body

    answer = send(app.test_client(), vera, body)

    assert answer.status_code == 422 and "must be customer.registered" in answer.text
    assert db.session.scalars(select(Inbox)).all() == []


def test_what_taking_back_would_move_is_foreseen(app: Flask, vera: Vera) -> None:
    sold = activated(vera, customer_state="UT")
    arrive(vera, [("1", sold)], at=utc_now())
    work_off(app, at=utc_now())
    before = end_of("1")["net"]
    fact = db.session.scalars(select(ContractFact)).one()
    back = Told(WITHDRAWN, fact.occurred_at, fact=fact.key)
    new = Told(
        sold.type, sold.occurred_at, size_thousandths=8_400, signed_on=sold.signed_on, service_code="solar"
    )
    unknown = Told("service.cancelled", sold.occurred_at)

    told = foresee(db.session(), vendor_id=vera.vendor_id, told={"K1": [back], "K9": [unknown]})
    more = foresee(db.session(), vendor_id=vera.vendor_id, told={"K2": [new]})

    [(volume, revenue)] = before.values()
    assert (told.volume, told.revenue, told.unknown) == (-volume, -revenue, 1)
    assert (more.volume, more.revenue, more.unknown) == (volume, revenue, 0)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0, max_value=10**6), st.randoms(use_true_random=False))
def test_a_history_reads_as_if_it_had_never_been_said(seed: int, chance: random.Random) -> None:
    vera = Vera(1, "", None, 1, "ANA22222", "BEN22222")  # type: ignore[arg-type]
    facts = [fact_of(event, f"{at}") for at, event in enumerate(life(vera, random.Random(seed)))]
    gone = chance.sample(facts[1:], k=chance.randint(1, len(facts) - 1))
    backs = [
        ContractFact(key=withdrawal_key(fact.key), type=WITHDRAWN, milestone="", occurred_at=fact.occurred_at)
        for fact in gone
    ]
    mixed = [*facts, *backs, *chance.choices(facts, k=2), *chance.choices(backs, k=1)]
    chance.shuffle(mixed)

    assert history.read(mixed) == history.read([fact for fact in facts if fact not in gone])
