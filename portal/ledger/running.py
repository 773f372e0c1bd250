"""The statement of a wallet: every entry, what it changed, and the balances after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, or_, select
from sqlalchemy.orm import Session

from portal.models import Account, Entry, Posting

GROUPS: dict[str, tuple[str, ...]] = {
    "all": (),
    "earned": ("commission",),
    "released": ("release",),
    "withdrawals": ("withdrawal",),
    "corrections": ("clawback", "adjustment"),
}
_PURPOSES = ("available", "pending", "reserved", "receivable")


@dataclass(frozen=True)
class Purse:
    """Cents of one consultant: free, held, set aside for a withdrawal, and owed by them."""

    available: int
    pending: int
    reserved: int
    debt: int


@dataclass(frozen=True)
class Line:
    """One entry as its consultant sees it: what it changed, and what was there afterwards."""

    entry_id: int
    key: str
    kind: str
    at: datetime
    change: Purse
    after: Purse


@dataclass(frozen=True)
class Span:
    """Which part of a statement: from an instant up to before another, and one of `GROUPS`."""

    since: datetime | None = None
    until: datetime | None = None
    group: str = "all"


def lines(
    session: Session, consultant_id: int, span: Span, *, before: int | None = None, limit: int | None = None
) -> list[Line]:
    """The entries of a wallet, newest first; the balances count whatever the span leaves out.

    `before` is the entry where the last page ended.
    """
    sums = _running(consultant_id)
    question = (
        select(Entry.id, Entry.key, Entry.kind, Entry.created_at, *_columns(sums))
        .join(sums, sums.c.entry_id == Entry.id)
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    for condition in _within(span):
        question = question.where(condition)
    if before is not None:
        question = question.where(Entry.id < before)
    return [_line(*row) for row in session.execute(question)]


def purse_at(session: Session, consultant_id: int, instant: datetime | None) -> Purse:
    """The balances just before an instant, as the entries until then make them; now when there is none."""
    changes = _changes(consultant_id)
    question = select(*(func.coalesce(func.sum(changes.c[purpose]), 0) for purpose in _PURPOSES))
    if instant is not None:
        question = question.join(Entry, Entry.id == changes.c.entry_id).where(Entry.created_at < instant)
    return Purse(*(int(cents) for cents in session.execute(question).one()))


def _changes(consultant_id: int) -> Subquery:
    """What each entry changed on each account of a consultant, on its normal side."""
    own = select(Account.id, Account.purpose, Account.normal).where(
        Account.owner_type == "consultant", Account.owner_id == consultant_id
    )
    accounts = own.subquery()
    grows = case(
        (Posting.credit_id == accounts.c.id, Posting.amount_cents), else_=-Posting.amount_cents
    ) * case((accounts.c.normal == "C", 1), else_=-1)
    sums = [
        func.coalesce(func.sum(case((accounts.c.purpose == purpose, grows), else_=0)), 0).label(purpose)
        for purpose in _PURPOSES
    ]
    return (
        select(Posting.entry_id.label("entry_id"), *sums)
        .join(accounts, or_(Posting.debit_id == accounts.c.id, Posting.credit_id == accounts.c.id))
        .group_by(Posting.entry_id)
        .subquery()
    )


def _running(consultant_id: int) -> Subquery:
    changes = _changes(consultant_id)
    after = [
        func.sum(changes.c[purpose]).over(order_by=changes.c.entry_id).label(f"{purpose}_after")
        for purpose in _PURPOSES
    ]
    return select(changes, *after).subquery()


def _columns(sums: Subquery) -> list[ColumnElement[Any]]:
    return [sums.c[name] for name in (*_PURPOSES, *(f"{purpose}_after" for purpose in _PURPOSES))]


def _within(span: Span) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if span.since is not None:
        found.append(Entry.created_at >= span.since)
    if span.until is not None:
        found.append(Entry.created_at < span.until)
    if kinds := GROUPS[span.group]:
        found.append(or_(*(Entry.kind.startswith(kind) for kind in kinds)))
    return found


def _line(entry_id: int, key: str, kind: str, at: datetime, *cents: int) -> Line:
    numbers = [int(each) for each in cents]
    return Line(entry_id, key, kind, at, Purse(*numbers[:4]), Purse(*numbers[4:]))
