"""Events, licences, admins and the cycle's end lock in one order, so nobody waits for who waits for them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import Contract, Customer, HeldSale, Sale
from portal.sales import holds, service
from portal.store import UnitOfWork
from portal.store.unit_of_work import unit_of_work
from tests.people import Cast, invite_cast
from tests.sales.rules import held, limit_own_use, rule, tell
from tests.vendors import Vera, activated, invite_vera, registered

pytestmark = pytest.mark.postgres

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
# The key of the gate of the cycle, as `portal.store.locks` has it.
CLOSE_GATE = "SELECT pg_advisory_xact_lock(7001)"
CUSTOMERS, THREADS, ROUNDS = 2, 4, 12


@dataclass
class House:
    """An application on PostgreSQL with Vera, whose contracts are all held for where they were sold."""

    app: Flask
    cast: Cast
    vera: Vera

    def once(self, work: Callable[[UnitOfWork], object]) -> None:
        """One unit of work that is never begun again: who is in the way of another is heard of."""
        with self.app.app_context(), unit_of_work() as uow:
            uow.session.execute(text("SET LOCAL lock_timeout = '60s'"))
            work(uow)

    def told(self, customer: int, contract: int, **more: Any) -> Callable[[UnitOfWork], object]:
        """An event of a contract."""
        refs = {"customer_ref": f"C{customer}", "contract_ref": f"K{customer}-{contract}"}
        event = activated(self.vera, **{**refs, "customer_state": "CA", **more})
        return lambda uow: service.take_event(uow, vendor_id=self.vera.vendor_id, event=event)


@pytest.fixture
def house(postgresql_database: Any, make_app: Any) -> Iterator[House]:
    app = make_app(postgresql_database)
    cast = invite_cast(app)
    found = House(app, cast, invite_vera(app, cast))
    with app.app_context():
        rule(states=["UT"])
        for customer in range(CUSTOMERS):
            tell(found.vera, registered(found.vera, customer_ref=f"C{customer}"))
            for contract in range(2):
                found.once(found.told(customer, contract))
        yield found
        db.session.rollback()


def wait_for(waiting: int) -> None:
    """Until so many transactions stand at a lock."""
    with db.engine.connect() as connection:
        for _ in range(600):
            if connection.execute(text(WAITING)).scalar_one() == waiting:
                return
            connection.rollback()
            time.sleep(0.05)
    raise AssertionError(f"{waiting} never waited at the same time")


def test_an_event_and_a_new_licence_about_the_same_contracts_do_not_stop_each_other(house: House) -> None:
    """The event has the later contract and needs the earlier one; the licence goes through them by number."""
    rule(states=[])
    news = house.told(0, 1, type="service.changed", milestone="", customer_email="rosa@example.com")
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as cycle_end:
        cycle_end.execute(text(CLOSE_GATE))
        event = pool.submit(house.once, news)
        wait_for(1)
        licence = pool.submit(
            house.once, lambda uow: holds.release_covered(uow, consultant_id=house.cast.ben)
        )
        wait_for(2)
        cycle_end.rollback()
        event.result(timeout=60)
        licence.result(timeout=60)

    assert [state for state, *_ in held()] == ["released"] * 2 * CUSTOMERS


def test_whoever_touches_a_contract_waits_for_its_customer_first(house: House) -> None:
    """While somebody has the customer, nobody else holds one of the contracts."""
    public_id = db.session.scalars(select(HeldSale.public_id).order_by(HeldSale.id)).first()
    contract_id = db.session.scalars(select(Contract.id).order_by(Contract.id)).first()
    assert public_id is not None and contract_id is not None
    about: dict[str, Any] = {"public_id": public_id, "actor_id": house.cast.fin, "note": "No"}
    doors: list[Callable[[UnitOfWork], object]] = [
        lambda uow: holds.release_covered(uow, consultant_id=house.cast.ben),
        lambda uow: holds.release(uow, **about),
        lambda uow: holds.refuse(uow, **about),
    ]
    for door in doors:
        with ThreadPoolExecutor(1) as pool, db.engine.connect() as mine:
            mine.execute(text("SELECT id FROM customer FOR UPDATE"))
            other = pool.submit(house.once, door)
            wait_for(1)
            mine.execute(text("SELECT id FROM contract FOR UPDATE NOWAIT"))
            mine.rollback()
            with suppress(DomainError):
                other.result(timeout=60)


def test_everybody_at_once_comes_through(house: House) -> None:
    limit_own_use(300_00)

    def work(number: int) -> None:
        chance = random.Random(number)
        for turn in range(ROUNDS):
            with suppress(DomainError):
                house.once(_something(house, chance, f"{number}-{turn}"))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    sold = select(Sale.contract_id, func.sum(Sale.volume)).group_by(Sale.contract_id)
    assert all(volume >= 0 for _, volume in db.session.execute(sold))


def _something(house: House, chance: random.Random, mark: str) -> Callable[[UnitOfWork], object]:
    """What a vendor, an admin or a licence may do at any moment."""
    customer, contract = chance.randrange(CUSTOMERS), chance.randrange(2)
    grown = {"size_thousandths": 1_000 * chance.randrange(1, 30), "customer_phone": f"801-555-01{mark[-1]}0"}
    kinds: list[Callable[[UnitOfWork], object]] = [
        house.told(customer, contract, type="service.changed", milestone="", **grown),
        house.told(customer, contract, type="service.suspended", milestone=""),
        house.told(customer, f"new-{mark}"),  # type: ignore[arg-type]
        lambda uow: holds.release_covered(uow, consultant_id=house.cast.ben),
        lambda uow: _own_use(uow, house, f"C{customer}", own_use=chance.random() < 0.5),
        lambda uow: _release_one(uow, house),
    ]
    return chance.choice(kinds)


def _own_use(uow: UnitOfWork, house: House, ref: str, *, own_use: bool) -> None:
    customer_id = uow.session.scalar(select(Customer.id).where(Customer.ref == ref))
    assert customer_id is not None
    holds.mark_own_use(uow, customer_id=customer_id, own_use=own_use, actor_id=house.cast.fin)


def _release_one(uow: UnitOfWork, house: House) -> None:
    waiting = select(HeldSale.public_id).where(HeldSale.state == "held").order_by(func.random()).limit(1)
    public_id = uow.session.scalar(waiting)
    if public_id is not None:
        holds.release(uow, public_id=public_id, actor_id=house.cast.fin, note="Agreed")
