"""Ben with $500.00 in his wallet, signed in on his phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from portal.extensions import db
from portal.ledger import audit, statements
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD, Cast, invite_cast


@pytest.fixture
def app(sqlite_app: Flask) -> Flask:
    """Pages do not depend on the engine."""
    return sqlite_app


@pytest.fixture
def cast(app: Flask) -> Cast:
    return invite_cast(app)


@pytest.fixture
def ben(app: Flask, cast: Cast, do: Callable[..., Any]) -> Visitor:
    do(fund, cast.ben, 500_00, cycle=cast.cycle)
    phone = Visitor(app)
    phone.sign_in("ben@example.com", PASSWORD)
    return phone


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
    yield
    with app.app_context():
        assert audit.broken_invariants(db.session) == []
