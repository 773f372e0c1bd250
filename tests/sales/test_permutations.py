"""Late, out of order, twice, corrected: the same facts end in the same books, whatever order they came in."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import ContractFact, Inbox, Sale
from portal.sales import history, service, settling
from portal.sales.refusals import NothingToDo, NotYetKnown
from portal.store import perform
from tests.conftest import Database
from tests.people import Cast, invite_cast
from tests.sales.histories import arrive, end_of, fact_of, life, named, pay_by_steps_and_months, work_off
from tests.vendors import Vera, invite_vera

SEED = int(os.environ.get("CANOPY_SEED", "61"))
LIVES = 8 * int(os.environ.get("CANOPY_SOAK", "1"))
ORDERS = 3


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    found = invite_vera(app, cast)
    with app.app_context():
        perform(pay_by_steps_and_months)
        yield found


def told_in_all_orders(app: Flask, vera: Vera, *, lives: int = LIVES) -> list[list[dict[str, Any]]]:
    """Each life told in its order, and in others with some of it twice: how each of them ended."""
    chance, now = random.Random(SEED), utc_now()
    names = []
    for number in range(lives):
        events = life(vera, chance)
        orders = [events, events[::-1]]
        for _ in range(ORDERS - 1):
            mixed = [*events, *chance.choices(events, k=2)]
            chance.shuffle(mixed)
            orders.append(mixed)
        for order, told in enumerate(orders):
            name = f"{number}-{order}"
            arrive(vera, [(f"{name}-{at}", named(event, name)) for at, event in enumerate(told)], at=now)
            work_off(app, at=now)
        names.append([f"{number}-{order}" for order in range(len(orders))])
    return [[end_of(name) for name in of_one] for of_one in names]


def test_every_life_ends_the_same_in_whatever_order_it_is_told(app: Flask, vera: Vera) -> None:
    ends = told_in_all_orders(app, vera)

    for in_order, *others in ends:
        for other in others:
            assert other == in_order, f"seed {SEED}"
    assert set(db.session.scalars(select(Inbox.state))) <= {"done", "ignored"}
    assert db.session.scalar(select(func.count(Sale.id)).where(Sale.reverses_id.is_not(None)))
    assert any(end["state"] == "cancelled" for end, *_ in ends)


def test_read_in_the_order_of_arrival_lives_would_end_differently(
    app: Flask, vera: Vera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what comes last is believed, as if it had happened last."""

    def by_arrival(uow: Any, contract: Any) -> Any:
        mine = select(ContractFact).where(ContractFact.contract_id == contract.id)
        return uow.session.scalars(mine.order_by(ContractFact.id)).all()

    monkeypatch.setattr(settling, "facts_of", by_arrival)
    monkeypatch.setattr(history, "_place", lambda fact: 0)

    ends = told_in_all_orders(app, vera, lives=4)

    assert any(other != in_order for in_order, *others in ends for other in others)


def test_every_one_of_the_120_orders_of_five_facts_ends_the_same(
    sqlite_database: Database, make_app: Any
) -> None:
    app = make_app(sqlite_database)
    vera = invite_vera(app, invite_cast(app))
    with app.app_context():
        perform(pay_by_steps_and_months)
        events = next(
            told
            for told in (life(vera, random.Random(seed)) for seed in range(10_000))
            if len(told) == 5
            and {"service.changed", "service.cancelled", "service.renewed"} <= {each.type for each in told}
        )
        first = None
        for number, order in enumerate(permutations(events)):
            _tell(vera, [named(event, str(number)) for event in order])
            end = end_of(str(number))
            first = first or end
            assert end == first, [event.type for event in order]


def _tell(vera: Vera, events: list[Any]) -> None:
    """Straight to the service; what cannot take effect yet comes again."""
    waiting = events
    while waiting:
        still = []
        for event in waiting:
            try:
                with suppress(NothingToDo):
                    perform(
                        lambda uow, event=event: (
                            service.take_event(uow, vendor_id=vera.vendor_id, event=event) and None
                        )
                    )
            except NotYetKnown:
                still.append(event)
        assert len(still) < len(waiting), "something has to move"
        waiting = still


@given(st.integers(min_value=0, max_value=10**6), st.randoms(use_true_random=False))
def test_a_history_follows_from_its_facts_and_not_from_their_order(seed: int, chance: random.Random) -> None:
    vera = Vera(1, "", None, 1, "ANA22222", "BEN22222")  # type: ignore[arg-type]
    facts = [fact_of(event, f"{at}") for at, event in enumerate(life(vera, random.Random(seed)))]
    mixed = [*facts, *chance.choices(facts, k=3)]
    chance.shuffle(mixed)

    assert history.read(mixed) == history.read(facts)
