"""Fin keeps the money, Ada the company; Ben and Cem asked for withdrawals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import commissions as jobs
from portal.extensions import db
from portal.ledger import audit
from portal.models import Withdrawal
from portal.payouts import service
from portal.store import UnitOfWork
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD, Cast, invite_cast
from tests.rooms.admin.cycle_steps import ended
from tests.shop import add_sale


@pytest.fixture
def app(sqlite_app: Flask) -> Flask:
    """Pages do not depend on the engine."""
    return sqlite_app


@pytest.fixture
def cast(app: Flask) -> Cast:
    return invite_cast(app)


@pytest.fixture
def asked(do: Callable[..., Any], cast: Cast) -> dict[str, str]:
    """Public ids of a withdrawal of $120.00 of Ben's and one of $80.00 of Cem's."""

    def ask(uow: UnitOfWork) -> dict[str, str]:
        for person in (cast.ben, cast.cem):
            fund(uow, person, 500_00, cycle=cast.cycle)
        return {
            name: service.request_withdrawal(
                uow, consultant_id=person, amount=amount, key=name, actor_id=person
            ).public_id
            for name, person, amount in (("ben", cast.ben, 120_00), ("cem", cast.cem, 80_00))
        }

    found: dict[str, str] = do(ask)
    return found


@pytest.fixture
def fin(app: Flask, asked: dict[str, str]) -> Visitor:
    return _at_work(app, "fin")


@pytest.fixture
def ada(app: Flask, asked: dict[str, str]) -> Visitor:
    return _at_work(app, "ada")


def _at_work(app: Flask, name: str) -> Visitor:
    laptop = Visitor(app)
    laptop.sign_in(f"{name}@example.com", PASSWORD)
    return laptop


@pytest.fixture
def states(app: Flask) -> Callable[[], list[str]]:
    """The states of all withdrawals, oldest first."""

    def read() -> list[str]:
        with app.app_context():
            return list(db.session.scalars(select(Withdrawal.state).order_by(Withdrawal.id)))

    return read


@pytest.fixture(autouse=True)
def books_are_in_order(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        assert audit.broken_invariants(db.session) == []


@pytest.fixture
def week(app: Flask, cast: Cast, do: Callable[..., Any]) -> str:
    """The name of a week that ended: Ben and Cem sold in it, below Ana."""
    do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(add_sale, cast.cem, 300_00, revenue=3_000_00)
    return ended(app, do, cast.cycle)


@pytest.fixture
def work(app: Flask) -> Callable[[], None]:
    """The job that does what was asked for."""

    def run() -> None:
        with app.app_context():
            jobs.do_requested()

    return run
