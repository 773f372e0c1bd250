"""A wallet to work with: Ben has $500.00 free; `do` runs a service in a unit of work of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.ledger import audit, statements
from portal.models import AccountUser, Consultant
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD, Cast


@pytest.fixture
def ben(cast: Cast, do: Callable[..., Any]) -> int:
    """Ben's consultant id; $500.00 is available to him."""
    do(fund, cast.ben, 500_00, cycle=cast.cycle)
    return cast.ben


@pytest.fixture
def user_of(app: Flask) -> Callable[[int], int]:
    """The sign-in of a consultant."""

    def find(consultant_id: int) -> int:
        with app.app_context():
            joined = select(AccountUser.id).join(Consultant, Consultant.person_id == AccountUser.person_id)
            return int(db.session.scalars(joined.where(Consultant.id == consultant_id)).one())

    return find


@pytest.fixture
def purse(app: Flask) -> Callable[[int], tuple[int, int, int, int]]:
    """(pending, available, reserved, debt) of a consultant, in cents."""

    def read(consultant_id: int) -> tuple[int, int, int, int]:
        with app.app_context():
            found = statements.balances(db.session, consultant_id)
            return found.pending, found.available, found.reserved, found.debt

    return read


@pytest.fixture(autouse=True)
def books_are_in_order(app: Flask) -> Iterator[None]:
    """After each test every invariant of the books holds."""
    yield
    with app.app_context():
        assert audit.broken_invariants(db.session) == []


@pytest.fixture
def phone(app, ben):
    """Ben's sign-in, and what every form of his carries."""
    first = Visitor(app)
    first.sign_in("ben@example.com", PASSWORD)
    first.visit("/earnings/withdraw/check?amount=500.00")
    return first.client.get_cookie("canopy").value, dict(first.hidden)


@pytest.fixture
def press(app, phone):
    """Send forms at the same moment, each in a thread of its own; (status, where to)."""
    cookie, hidden = phone

    def run(forms):
        start = Barrier(len(forms))

        def one(form):
            client = app.test_client()
            client.set_cookie("canopy", cookie)
            start.wait()
            answer = client.post("/earnings/withdraw/check", data={**hidden, **form})
            return answer.status_code, answer.location

        with ThreadPoolExecutor(len(forms)) as threads:
            return list(threads.map(one, forms))

    return run
