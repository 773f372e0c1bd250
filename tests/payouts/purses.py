"""Money for tests: earned and held, or free at once; and what a wallet holds."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, available, pending
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Hold, new_release_rows
from portal.payouts.releases import release_due
from portal.store import UnitOfWork

_numbers = itertools.count(1)
LONG_AGO = date(2020, 1, 1)


def earn(uow: UnitOfWork, consultant_id: int, cents: int, *, cycle: int, due_on: date = LONG_AGO) -> int:
    """Credit a commission to *pending*, held until `due_on`; the id of its entry."""
    move = Move(COMMISSION_EXPENSE, pending(consultant_id), Cents(cents))
    entry = book.post(uow, Draft(f"test-commission-{next(_numbers)}", "commission", [move]))
    new_release_rows(uow, [Hold(entry.id, consultant_id, cycle, Cents(cents), due_on)])
    return entry.id


def fund(uow: UnitOfWork, consultant_id: int, cents: int, *, cycle: int) -> None:
    """Make an amount available."""
    earn(uow, consultant_id, cents, cycle=cycle)
    release_due(uow, today=uow.clock().date())


def give(uow: UnitOfWork, consultant: int, cents: int) -> None:
    """Make an amount available without a hold."""
    move = Move(COMMISSION_EXPENSE, available(consultant), Cents(cents))
    book.post(uow, Draft(f"gift-{new_id()}", "gift", [move]))


def in_days(days: int) -> date:
    return (datetime.now(UTC) + timedelta(days=days)).date()
