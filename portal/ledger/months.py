"""Closing a month of the books: nothing is booked there any more, and it can be shown that nothing was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict
from portal.ledger.audit import broken_invariants
from portal.models import Entry, LedgerPeriod, Posting
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Month:
    """A month and what is in it: entries, and the cents they moved."""

    period: LedgerPeriod
    entries: int
    posted: int


def close_month(uow: UnitOfWork, *, period_id: int, actor_id: int | None) -> LedgerPeriod:
    """Close a month that is over, for good; entries that are just being written there are waited for.

    What becomes known of it later is booked in the month that is open then; the sale, the payment or the
    withdrawal behind the entry keeps its true date. Raises `NotYours` for a month without books, `Conflict`
    while it lasts, while an earlier one is open, when it is closed, and when the books are not in order.
    """
    period = lock_row(uow, LedgerPeriod, period_id)
    if period.closed_at is not None:
        raise Conflict("This month is closed already.")
    if period.ends >= uow.clock().date():
        raise Conflict("This month is not over yet.")
    earlier = select(LedgerPeriod.id).where(LedgerPeriod.id < period_id, LedgerPeriod.closed_at.is_(None))
    if uow.session.scalar(earlier.limit(1)) is not None:
        raise Conflict("An earlier month is still open. Please close that one first.")
    if broken := broken_invariants(uow.session):
        raise Conflict(f"The books are not in order: {broken[0].invariant}. Nothing was closed.")
    (month,) = months(uow.session, period_id=period_id)
    period.entry_count, period.posted_cents = month.entries, month.posted
    period.fingerprint = fingerprint(uow.session, period)
    period.closed_at = uow.clock()
    uow.note("month.close", thing="ledger_period", thing_id=period_id, actor_id=actor_id)
    uow.session.flush()
    return period


def months(session: Session, *, period_id: int | None = None) -> Sequence[Month]:
    """Every month of the books with what is in it, newest first; or one of them."""
    statement = (
        select(
            LedgerPeriod, func.count(Entry.id.distinct()), func.coalesce(func.sum(Posting.amount_cents), 0)
        )
        .outerjoin(Entry, Entry.period_id == LedgerPeriod.id)
        .outerjoin(Posting, Posting.entry_id == Entry.id)
        .group_by(LedgerPeriod.id)
        .order_by(LedgerPeriod.id.desc())
    )
    if period_id is not None:
        statement = statement.where(LedgerPeriod.id == period_id)
    return [Month(period, entries, int(posted)) for period, entries, posted in session.execute(statement)]


def next_to_close(session: Session, *, today: date) -> LedgerPeriod | None:
    """The oldest open month, when it is over."""
    oldest = session.scalar(
        select(LedgerPeriod).where(LedgerPeriod.closed_at.is_(None)).order_by(LedgerPeriod.id).limit(1)
    )
    return oldest if oldest is not None and oldest.ends < today else None


def is_unchanged(session: Session, period: LedgerPeriod) -> bool:
    """Whether a closed month is to the last posting what it was when it was closed."""
    return period.fingerprint == fingerprint(session, period)


def fingerprint(session: Session, period: LedgerPeriod) -> str:
    """SHA-256 over the fingerprint of the month before and every posting of this one, in their order."""
    before = select(LedgerPeriod.fingerprint).where(LedgerPeriod.id < period.id)
    total = hashlib.sha256((session.scalar(before.order_by(LedgerPeriod.id.desc()).limit(1)) or "").encode())
    debit, credit = Posting.debit_id, Posting.credit_id
    postings = (
        select(Posting.id, Entry.key, Entry.kind, debit, credit, Posting.currency, Posting.amount_cents)
        .join(Entry, Entry.id == Posting.entry_id)
        .where(Entry.period_id == period.id)
        .order_by(Posting.id)
    )
    for row in session.execute(postings.execution_options(yield_per=5_000)):
        total.update(repr(tuple(row)).encode())
    return total.hexdigest()
