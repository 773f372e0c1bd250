"""Earned money on hold: written down when credited, taken back oldest first until it is released."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, insert, select, update

from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, AccountKey, available, pending, receivable
from portal.ledger.book import Draft, Move
from portal.models import Entry, Release
from portal.store.copying import Told, Value, copy_rows
from portal.store.unit_of_work import UnitOfWork

Ints = NDArray[np.int64]

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Hold:
    """A credit to *pending*, in cents, above 0: it becomes available on `due_on`."""

    entry_id: int
    consultant_id: int
    cycle_id: int
    amount: Cents
    due_on: date


@dataclass(frozen=True)
class Holds:
    """Many holds of one cycle, as columns."""

    entry_ids: Ints
    consultants: Ints
    cycle_id: int
    amounts: Ints
    due_on: NDArray[np.datetime64]


@dataclass(frozen=True)
class Claw:
    """An amount in cents, above 0, to be taken back from a consultant; `key` can be used once.

    It goes to the company account `target`: the expense it came from, or what is corrected by hand.
    """

    consultant_id: int
    amount: Cents
    key: str
    cause: tuple[str, int]
    target: AccountKey = COMMISSION_EXPENSE
    actor_id: int | None = None


def new_release_rows(uow: UnitOfWork, holds: Sequence[Hold]) -> None:
    """Write down when each credit becomes available; one row for each entry."""
    rows = [
        {
            "entry_id": hold.entry_id,
            "consultant_id": hold.consultant_id,
            "cycle_id": hold.cycle_id,
            "amount_cents": int(hold.amount),
            "clawed_cents": 0,
            "due_on": hold.due_on,
        }
        for hold in holds
    ]
    if rows:
        uow.session.execute(insert(Release), rows)


def new_release_table(uow: UnitOfWork, holds: Holds, *, told: Told | None = None) -> None:
    """The same for many at once; `told` hears how many are handed over."""
    columns: dict[str, Value] = {
        "entry_id": holds.entry_ids,
        "consultant_id": holds.consultants,
        "cycle_id": holds.cycle_id,
        "amount_cents": holds.amounts,
        "clawed_cents": 0,
        "due_on": holds.due_on,
    }
    copy_rows(uow.session, Release, columns, count=len(holds.entry_ids), told=told)


def claw_back(
    uow: UnitOfWork, *, consultant_id: int, amount: Cents, key: str, cause: tuple[str, int]
) -> None:
    """Take an amount back from what is held, then from what is available; the rest becomes debt."""
    claw_back_many(uow, [Claw(consultant_id, amount, key, cause)])


def claw_back_many(uow: UnitOfWork, claws: Sequence[Claw]) -> dict[int, int]:
    """Take many amounts back, one entry each, by consultant; a key that is there is left alone.

    Gives the cents that were taken out of each hold, by the id of its release.
    """
    taken: dict[int, int] = {}
    for some in _in_parts(sorted(claws, key=lambda claw: claw.consultant_id)):
        _claw_part(uow, some, taken)
    return taken


def held_wallets(uow: UnitOfWork, consultant_ids: Sequence[int]) -> dict[AccountKey, int]:
    """The balances of *pending*, *available* and *receivable* of many, locked until the commit."""
    keys = [
        make(consultant_id)
        for consultant_id in sorted(set(consultant_ids))
        for make in (pending, available, receivable)
    ]
    return {key: account.balance for key, account in book.hold(uow, *keys).items()}


def _claw_part(uow: UnitOfWork, claws: Sequence[Claw], taken: dict[int, int]) -> None:
    owners = [claw.consultant_id for claw in claws]
    balances = held_wallets(uow, owners)
    known = set(uow.session.scalars(select(Entry.key).where(Entry.key.in_([claw.key for claw in claws]))))
    waiting = _waiting(uow, owners)
    drafts: list[Draft] = []
    clawed: dict[int, int] = {}
    for claw in claws:
        if claw.key not in known:
            moves = _taken(claw, balances)
            held = sum(move.amount for move in moves if move.debit.purpose == "pending")
            for release_id, so_far, part in _mark(waiting[claw.consultant_id], held):
                clawed[release_id] = so_far
                taken[release_id] = taken.get(release_id, 0) + part
            kind = "clawback" if claw.target == COMMISSION_EXPENSE else "adjustment correction"
            drafts.append(Draft(claw.key, kind, moves, actor_id=claw.actor_id, cause=claw.cause))
    _store_clawed(uow, clawed)
    book.post_many(uow, drafts)


def _taken(claw: Claw, balances: dict[AccountKey, int]) -> list[Move]:
    """Moves that take the amount: held, then free, then as debt; `balances` follows."""
    moves, rest = [], int(claw.amount)
    for source in (pending(claw.consultant_id), available(claw.consultant_id)):
        part = min(rest, balances[source])
        if part > 0:
            moves.append(Move(source, claw.target, Cents(part)))
            balances[source] -= part
            rest -= part
    if rest > 0:
        owed = receivable(claw.consultant_id)
        moves.append(Move(owed, claw.target, Cents(rest)))
        balances[owed] += rest
    return moves


def _waiting(uow: UnitOfWork, consultant_ids: Sequence[int]) -> dict[int, list[list[int]]]:
    """For each consultant what is held, oldest first, as [release, amount, clawed]."""
    waiting: dict[int, list[list[int]]] = {consultant_id: [] for consultant_id in consultant_ids}
    statement = (
        select(Release.consultant_id, Release.id, Release.amount_cents, Release.clawed_cents)
        .where(Release.consultant_id.in_(set(consultant_ids)), Release.released_at.is_(None))
        .order_by(Release.consultant_id, Release.due_on, Release.id)
        .with_for_update()
    )
    for consultant_id, *row in uow.session.execute(statement):
        waiting[consultant_id].append(row)
    return waiting


def _mark(rows: list[list[int]], amount: int) -> Iterator[tuple[int, int, int]]:
    """Spread a clawed amount over what is held; gives (release, clawed so far, now) for each it touches."""
    for row in rows:
        part = min(amount, row[1] - row[2])
        if part > 0:
            row[2] += part
            amount -= part
            yield row[0], row[2], part
    assert amount == 0, "pending money and what waits for its release differ"


def _store_clawed(uow: UnitOfWork, clawed: Mapping[int, int]) -> None:
    if clawed:
        statement = (
            update(Release).where(Release.id == bindparam("row")).values(clawed_cents=bindparam("now"))
        )
        rows = [{"row": release_id, "now": amount} for release_id, amount in clawed.items()]
        uow.session.connection().execute(statement, rows)


def _in_parts(claws: Sequence[Claw]) -> Iterator[Sequence[Claw]]:
    for start in range(0, len(claws), _AT_ONCE):
        yield claws[start : start + _AT_ONCE]
