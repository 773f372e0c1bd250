"""What the books hold of the payments that a filter finds: the entries behind its sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from portal.models import Entry, Payment, Posting
from portal.payments import fees
from portal.payments.queries import Wanted, ids_of
from portal.payments.recording import ENTRY_KINDS

_PAID = dict.fromkeys(ENTRY_KINDS.values(), 1)
_REFUNDED = {"refund": 1, "refund failed": -1}
# By the figure on the page: the kinds of entries behind it, and with which sign each counts.
FIGURES = {
    "paid": _PAID,
    "refunded": _REFUNDED,
    "fees": fees.ENTRY_KINDS,
    "kept": _PAID | {kind: -sign for kind, sign in (_REFUNDED | fees.ENTRY_KINDS).items()},
}


@dataclass(frozen=True)
class Booked:
    """An entry of a payment; `cents` with the sign it has in the figure."""

    entry: Entry
    payment_public_id: str
    cents: int


def entries_behind(
    session: Session, wanted: Wanted, *, figure: str, before: int = 0, limit: int = 50
) -> Sequence[Booked]:
    """The entries behind one of `FIGURES`, newest first; `before` is the id of the last one of a page."""
    signed = func.sum(_signed(figure))
    question = _behind(select(Entry, Payment.public_id, signed), wanted, figure)
    question = question.group_by(Entry.id, Payment.public_id).order_by(Entry.id.desc()).limit(limit)
    if before:
        question = question.where(Entry.id < before)
    return [Booked(entry, public_id, int(cents)) for entry, public_id, cents in session.execute(question)]


def sum_behind(session: Session, wanted: Wanted, *, figure: str) -> tuple[int, int]:
    """How many entries are behind one of `FIGURES`, and the cents they come to."""
    totals = select(func.count(Entry.id.distinct()), func.coalesce(func.sum(_signed(figure)), 0))
    number, cents = session.execute(_behind(totals, wanted, figure)).one()
    return int(number), int(cents)


def _behind(columns: Select[*tuple[Any, ...]], wanted: Wanted, figure: str) -> Select[*tuple[Any, ...]]:
    return (
        columns.select_from(Entry)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Payment, Payment.id == Entry.cause_id)
        .where(
            Entry.cause_type == "payment",
            Entry.kind.in_(FIGURES[figure]),
            Entry.cause_id.in_(ids_of(wanted)),
        )
    )


def _signed(figure: str) -> ColumnElement[int]:
    return Posting.amount_cents * case(FIGURES[figure], value=Entry.kind)
