"""One entry opened: its postings, whose accounts they move, and what caused it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from portal.kernel.errors import NotYours
from portal.models import (
    Account,
    AccountUser,
    Adjustment,
    Consultant,
    Cycle,
    Entry,
    Payment,
    Person,
    Posting,
    Run,
    Withdrawal,
)

_NOTHING = "There is nothing here under this address."


@dataclass(frozen=True)
class Side:
    """An account of a posting: what for, and whose; the company's has no owner."""

    account_id: int
    purpose: str
    owner_id: int
    owner: str


@dataclass(frozen=True)
class Move:
    """An amount in cents from one account to another."""

    source: Side
    target: Side
    amount: int


@dataclass(frozen=True)
class Cause:
    """What an entry came of: a `week` by its name, a `withdrawal`, `adjustment` or `payment` by public id.

    `reason` is what a person wrote about it.
    """

    kind: str
    name: str
    reason: str = ""


@dataclass(frozen=True)
class Opened:
    """An entry with all there is to know of it; `actor` is empty where the house acted by itself."""

    entry: Entry
    moves: list[Move]
    cause: Cause | None
    actor: str
    undoes: int | None
    undone_by: int | None
    settles: int | None
    settled_by: int | None


def opened(session: Session, entry_id: int, *, owner_id: int | None = None) -> Opened:
    """An entry; with `owner_id` only one that moves that consultant's money.

    Raises `NotYours` where there is none.
    """
    entry = session.get(Entry, entry_id)
    moves = _moves(session, entry_id)
    if owner_id is not None:
        moves = [move for move in moves if owner_id in (move.source.owner_id, move.target.owner_id)]
    if entry is None or not moves:
        raise NotYours(_NOTHING)
    return Opened(
        entry=entry,
        moves=moves,
        cause=cause_of(session, entry),
        actor=_actor(session, entry),
        undoes=entry.reverses_id,
        undone_by=session.scalar(select(Entry.id).where(Entry.reverses_id == entry_id)),
        settles=entry.resolves_id,
        settled_by=session.scalar(select(Entry.id).where(Entry.resolves_id == entry_id)),
    )


def cause_of(session: Session, entry: Entry) -> Cause | None:
    """What an entry came of, as far as it is kept."""
    if entry.cause_type is None or entry.cause_id is None:
        reserved = select(Withdrawal.public_id).where(Withdrawal.reserve_entry_id == entry.id)
        found = session.scalar(reserved)
        return Cause("withdrawal", found) if found else None
    questions = {
        "run": (
            "week",
            select(Cycle.name).join(Run, Run.cycle_id == Cycle.id).where(Run.id == entry.cause_id),
        ),
        "cycle": ("week", select(Cycle.name).where(Cycle.id == entry.cause_id)),
        "withdrawal": ("withdrawal", select(Withdrawal.public_id).where(Withdrawal.id == entry.cause_id)),
        "adjustment": ("adjustment", select(Adjustment.public_id).where(Adjustment.id == entry.cause_id)),
        "payment": ("payment", select(Payment.public_id).where(Payment.id == entry.cause_id)),
    }
    kind, question = questions.get(entry.cause_type, ("", None))
    name = session.scalar(question) if question is not None else None
    if kind != "adjustment":
        return Cause(kind, name) if name else None
    reason = session.scalar(select(Adjustment.reason).where(Adjustment.id == entry.cause_id))
    return Cause(kind, name, reason or "") if name else None


def entries_by_key(session: Session, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Entries by their keys, each with the cents it moved."""
    rows = session.execute(
        select(Entry.key, Entry.id, func.sum(Posting.amount_cents))
        .join(Posting, Posting.entry_id == Entry.id)
        .where(Entry.key.in_(keys))
        .group_by(Entry.key, Entry.id)
    )
    return {key: (entry_id, int(cents)) for key, entry_id, cents in rows}


def entries_of(session: Session, cause_type: str, cause_id: int) -> Sequence[int]:
    """The entries that one thing caused, oldest first."""
    caused = select(Entry.id).where(Entry.cause_type == cause_type, Entry.cause_id == cause_id)
    return session.scalars(caused.order_by(Entry.id)).all()


def _moves(session: Session, entry_id: int) -> list[Move]:
    debit, credit = aliased(Account), aliased(Account)
    rows = session.execute(
        select(debit, credit, Posting.amount_cents)
        .join(debit, debit.id == Posting.debit_id)
        .join(credit, credit.id == Posting.credit_id)
        .where(Posting.entry_id == entry_id)
        .order_by(Posting.id)
    ).all()
    accounts = [account for source, target, _ in rows for account in (source, target)]
    names = names_of(
        session, [account.owner_id for account in accounts if account.owner_type == "consultant"]
    )
    return [Move(_side(source, names), _side(target, names), int(amount)) for source, target, amount in rows]


def names_of(session: Session, consultant_ids: Sequence[int]) -> dict[int, str]:
    """The names of consultants by their ids."""
    rows = session.execute(
        select(Consultant.id, Person.name)
        .join(Person, Person.id == Consultant.person_id)
        .where(Consultant.id.in_(set(consultant_ids)))
    )
    return {int(consultant_id): name for consultant_id, name in rows}


def _side(account: Account, names: dict[int, str]) -> Side:
    return Side(account.id, account.purpose, account.owner_id, names.get(account.owner_id, ""))


def _actor(session: Session, entry: Entry) -> str:
    if entry.actor_id is None:
        return ""
    joined = select(Person.name).join(AccountUser, AccountUser.person_id == Person.id)
    return session.scalar(joined.where(AccountUser.id == entry.actor_id)) or ""
