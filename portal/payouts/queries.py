"""Reads of withdrawals, batches and what is still held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from portal.kernel.errors import BadInput, NotYours
from portal.kernel.ids import payout_reference
from portal.models import (
    Consultant,
    Destination,
    Entry,
    PayoutBatch,
    PayoutFile,
    Person,
    Release,
    Withdrawal,
)
from portal.payouts.payees.destinations import destinations_of
from portal.payouts.terms import demand_form

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Due:
    """The next amount that becomes available, in cents, and its day."""

    on: date
    amount: int


@dataclass(frozen=True)
class Waiting:
    """A withdrawal and whose it is."""

    withdrawal: Withdrawal
    name: str
    code: str
    place: str = ""

    @property
    def reference(self) -> str:
        return payout_reference(self.withdrawal.id)

    def is_approved_alone_by(self, user_id: int) -> bool:
        """Whether this one person said yes to what its owner asked for, so that another one exports it."""
        one = self.withdrawal
        return one.state == "approved" and one.selection_id is None and one.decided_by == user_id


def next_release(session: Session, consultant_id: int) -> Due | None:
    """What becomes available next."""
    row = session.execute(
        select(Release.due_on, func.sum(Release.amount_cents - Release.clawed_cents))
        .where(
            Release.consultant_id == consultant_id,
            Release.released_at.is_(None),
            Release.amount_cents > Release.clawed_cents,
        )
        .group_by(Release.due_on)
        .order_by(Release.due_on)
        .limit(1)
    ).first()
    return Due(row[0], int(row[1])) if row else None


def own_withdrawals(session: Session, consultant_id: int, *, limit: int = 5) -> Sequence[Withdrawal]:
    """The newest withdrawals of a consultant."""
    own = select(Withdrawal).where(Withdrawal.consultant_id == consultant_id)
    return session.scalars(own.order_by(Withdrawal.id.desc()).limit(limit)).all()


def own_withdrawal(session: Session, consultant_id: int, public_id: str) -> Withdrawal:
    """A consultant's own withdrawal; raises `NotYours` for any other."""
    found = session.scalar(
        select(Withdrawal).where(Withdrawal.public_id == public_id, Withdrawal.consultant_id == consultant_id)
    )
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def destination_of(session: Session, withdrawal: Withdrawal) -> Destination | None:
    """Where a withdrawal is paid; None for those of the time before there were destinations."""
    return session.get(Destination, withdrawal.destination_id) if withdrawal.destination_id else None


def entries_of(session: Session, withdrawals: Sequence[Withdrawal]) -> dict[int, list[Entry]]:
    """By withdrawal id its entries, oldest first: set aside, then paid or given back, then brought back."""
    first = {withdrawal.reserve_entry_id: withdrawal.id for withdrawal in withdrawals}
    found: dict[int, list[Entry]] = {withdrawal.id: [] for withdrawal in withdrawals}
    for entry in _entries_where(session, Entry.id, list(first)):
        found[first[entry.id]].append(entry)
    for column in (Entry.resolves_id, Entry.reverses_id):
        last = {known[-1].id: withdrawal_id for withdrawal_id, known in found.items()}
        for entry in _entries_where(session, column, list(last)):
            found[last[getattr(entry, column.key)]].append(entry)
    return found


def _entries_where(
    session: Session, column: InstrumentedAttribute[Any], ids: Sequence[int]
) -> Iterator[Entry]:
    for start in range(0, len(ids), _AT_ONCE):
        yield from session.scalars(select(Entry).where(column.in_(ids[start : start + _AT_ONCE])))


def missing_for_payment(session: Session, consultant_id: int, *, now: datetime) -> list[str]:
    """What somebody has to do before they can be paid, of: `destination`, `tax_form`."""
    missing = [] if destinations_of(session, consultant_id) else ["destination"]
    try:
        demand_form(session, consultant_id, amount=1, now=now)
    except BadInput:
        missing.append("tax_form")
    return missing


def withdrawals(
    *, states: Sequence[str] = (), name: str = "", least: int | None = None
) -> Select[Withdrawal, str, str]:
    """The question for withdrawals with name and code of their owners, oldest first; filters may be combined.

    `name` is the beginning of any word of the name, `least` an amount in cents.
    """
    question = _with_owners()
    if states:
        question = question.where(Withdrawal.state.in_(states))
    if least is not None:
        question = question.where(Withdrawal.amount_cents >= least)
    if name:
        lower = func.lower(Person.name)
        begins = lower.startswith(name.lower(), autoescape=True)
        question = question.where(begins | lower.contains(" " + name.lower(), autoescape=True))
    return question.order_by(Withdrawal.id)


def read(session: Session, question: Select[Withdrawal, str, str]) -> list[Waiting]:
    """The rows of such a question."""
    rows = session.execute(question).all()
    places = _places(session, {found.destination_id for found, _name, _code in rows} - {None})
    return [Waiting(found, name, code, places.get(found.destination_id, "")) for found, name, code in rows]


def _places(session: Session, ids: Set[int | None]) -> dict[int | None, str]:
    """Way to pay and masked account of some destinations."""
    found = session.scalars(select(Destination).where(Destination.id.in_(ids))).unique()
    return {place.id: place.called for place in found}


def page(
    question: Select[Withdrawal, str, str], *, after: int | None, limit: int
) -> Select[Withdrawal, str, str]:
    """The part of such a question that follows the withdrawal `after`."""
    return (question if after is None else question.where(Withdrawal.id > after)).limit(limit)


def ids_of(session: Session, public_ids: Sequence[str]) -> list[int]:
    """Row ids of withdrawals, ascending; raises `NotYours` when one is not there."""
    wanted = set(public_ids)
    found = session.scalars(
        select(Withdrawal.id).where(Withdrawal.public_id.in_(wanted)).order_by(Withdrawal.id)
    ).all()
    if len(found) != len(wanted):
        raise NotYours("There is nothing here under this address.")
    return list(found)


def counts(session: Session) -> dict[str, tuple[int, int]]:
    """For each state how many withdrawals and how many cents."""
    rows = session.execute(
        select(Withdrawal.state, func.count(), func.sum(Withdrawal.amount_cents)).group_by(Withdrawal.state)
    )
    return {state: (number, int(cents)) for state, number, cents in rows}


def batch_by_public_id(session: Session, public_id: str) -> PayoutBatch:
    """A batch; raises `NotYours` where there is none."""
    batch = session.scalar(select(PayoutBatch).where(PayoutBatch.public_id == public_id))
    if batch is None:
        raise NotYours("There is nothing here under this address.")
    return batch


def file_of(session: Session, batch_id: int, *, format: str) -> PayoutFile:
    """A batch in one format, as it was written; raises `NotYours` where there is none."""
    wanted = (PayoutFile.batch_id == batch_id, PayoutFile.format == format)
    file = session.scalar(select(PayoutFile).where(*wanted))
    if file is None:
        raise NotYours("There is nothing here under this address.")
    return file


def files_of(session: Session, batch_id: int) -> Sequence[PayoutFile]:
    """All files of a batch, without reading what is in them."""
    question = select(PayoutFile).where(PayoutFile.batch_id == batch_id).order_by(PayoutFile.id)
    return session.scalars(question.options(defer(PayoutFile.content))).all()


def batch_by_id(session: Session, batch_id: int) -> PayoutBatch:
    """A batch that is known to be there."""
    return session.get_one(PayoutBatch, batch_id)


def batch_of(session: Session, withdrawal_id: int) -> int | None:
    """The batch a withdrawal is in."""
    return session.scalar(select(Withdrawal.batch_id).where(Withdrawal.id == withdrawal_id))


def batches(session: Session, *, limit: int = 10) -> Sequence[PayoutBatch]:
    """The newest batches."""
    return session.scalars(select(PayoutBatch).order_by(PayoutBatch.id.desc()).limit(limit)).all()


def lines_of(session: Session, batch_id: int) -> list[Waiting]:
    """The withdrawals of a batch, in the order of its file."""
    return read(session, _with_owners().where(Withdrawal.batch_id == batch_id).order_by(Withdrawal.id))


def _with_owners() -> Select[Withdrawal, str, str]:
    return (
        select(Withdrawal, Person.name, Consultant.code)
        .join(Consultant, Consultant.id == Withdrawal.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
    )
