"""Taking back what a run booked, by reversing entries: the wallets are then as if it had never been booked.

Whoever was only credited is reversed in one table. Whose money moved otherwise is looked at one by one: what
was clawed back returns to where it came from, and what a correction took from the credit meanwhile is taken
as it would have been without the credit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict
from portal.kernel.money import Cents
from portal.ledger import book, bulk
from portal.ledger.accounts import COMMISSION_EXPENSE, AccountKey, available, pending, receivable
from portal.ledger.book import Draft, Move
from portal.ledger.bulk import Table, Wallets
from portal.ledger.releases import held_wallets
from portal.models import Account, Cycle, Entry, Posting, Release
from portal.models.types import Whole
from portal.store.columns import read_columns
from portal.store.unit_of_work import UnitOfWork

Ints = NDArray[np.int64]

CREDIT_UNDONE = "commission undone"
CLAWBACK_UNDONE = "clawback undone"
_AT_ONCE = 500


@dataclass(frozen=True)
class _Credits:
    """The credits of a run with their holds, a row each; `clawed` is what was taken out of the hold since."""

    releases: Ints
    entries: Ints
    owners: Ints
    amounts: Ints
    clawed: Ints

    def where(self, chosen: NDArray[np.bool_]) -> _Credits:
        return _Credits(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def maturing_waits(session: Session, now: datetime) -> bool:
    """Whether a close can still be undone: until then no held money becomes available, whatever its cycle."""
    undoable = (Cycle.undo_until > now) | Cycle.undo_requested_at.is_not(None)
    return session.scalar(select(Cycle.id).where(undoable).limit(1)) is not None


def reverse_run(uow: UnitOfWork, *, run_id: int, taken: dict[int, int], actor_id: int | None) -> None:
    """Reverse every entry of a run; `taken` says what its claw-backs took out of which hold, in cents.

    Raises `Conflict` when a correction is being booked at this moment.
    """
    credits = _credits(uow, run_id)
    clawed_back = _clawbacks(uow, run_id)
    known = np.array(sorted(clawed_back), np.int64)
    alone = np.isin(credits.owners, np.union1d(known, credits.owners[credits.clawed > 0]))
    _close_holds(uow, run_id, np.unique(credits.owners[alone]), expected=int((~alone).sum()))
    _reverse_table(uow, credits.where(~alone), run_id, actor_id)
    people = np.union1d(known, credits.owners[alone]).tolist()
    _give_back(uow, taken)
    for start in range(0, len(people), _AT_ONCE):
        some = people[start : start + _AT_ONCE]
        _reverse_one_by_one(uow, some, clawed_back, credits=credits, run=(run_id, taken, actor_id))


def _credits(uow: UnitOfWork, run_id: int) -> _Credits:
    statement = (
        select(
            Release.id, Release.entry_id, Release.consultant_id, Release.amount_cents, Release.clawed_cents
        )
        .where(Release.entry_id.in_(_entries_of(run_id)))
        .order_by(Release.id)
    )
    return _Credits(*read_columns(uow.session, statement, width=5))


def _entries_of(run_id: int) -> Select[int]:
    """The first entries of a run, without those that reverse them."""
    return select(Entry.id).where(
        Entry.cause_type == "run", Entry.cause_id == run_id, Entry.reverses_id.is_(None)
    )


def _clawbacks(uow: UnitOfWork, run_id: int) -> dict[int, list[tuple[int, str, int]]]:
    """What a run took back from whom, as (entry, purpose of the account, cents)."""
    rows = uow.session.execute(
        select(Account.owner_id, Entry.id, Account.purpose, Posting.amount_cents)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.debit_id)
        .where(Entry.id.in_(_entries_of(run_id)), Account.owner_type == "consultant")
        .order_by(Account.owner_id, Posting.id)
    )
    found: dict[int, list[tuple[int, str, int]]] = {}
    for owner, entry_id, purpose, cents in rows:
        found.setdefault(owner, []).append((entry_id, purpose, cents))
    return found


def _close_holds(uow: UnitOfWork, run_id: int, alone: Ints, *, expected: int) -> None:
    """Leave nothing of these credits to be released; those of people looked at one by one come later."""
    untouched = (Release.entry_id.in_(_entries_of(run_id)), Release.clawed_cents == 0)
    # Few people, but more than a statement may have parameters.
    apart = [Release.consultant_id.not_in(alone[at : at + 400].tolist()) for at in range(0, len(alone), 400)]
    done = uow.session.connection().execute(
        update(Release)
        .where(*untouched, *apart)
        .values(clawed_cents=Release.amount_cents, released_at=uow.clock())
    )
    if done.rowcount != expected:
        raise Conflict("A wallet of this cycle is being corrected at this moment. Please undo it again.")


def _reverse_table(uow: UnitOfWork, credits: _Credits, run_id: int, actor_id: int | None) -> None:
    count = len(credits.entries)
    table = Table(
        keys=lambda some: np.strings.add(b"undo-", credits.entries[some].astype("S")),
        kinds=np.broadcast_to(np.array(CREDIT_UNDONE.encode()), count),
        debit=Wallets("pending", credits.owners),
        credit=COMMISSION_EXPENSE,
        amounts=credits.amounts,
        cause=("run", run_id),
        reverses=credits.entries,
        actor_id=actor_id,
    )
    bulk.post_table(uow, table)


def _give_back(uow: UnitOfWork, taken: dict[int, int]) -> None:
    """What claw-backs took out of holds is held again."""
    left = Release.clawed_cents - bindparam("cents", type_=Whole)
    statement = update(Release).where(Release.id == bindparam("row", type_=Whole)).values(clawed_cents=left)
    if taken:
        rows = [{"row": release_id, "cents": amount} for release_id, amount in taken.items()]
        uow.session.connection().execute(statement, rows)


def _reverse_one_by_one(
    uow: UnitOfWork,
    people: Sequence[int],
    clawed_back: dict[int, list[tuple[int, str, int]]],
    *,
    credits: _Credits,
    run: tuple[int, dict[int, int], int | None],
) -> None:
    run_id, taken, actor_id = run
    balances = held_wallets(uow, people)
    drafts = []
    for person in people:
        for entry_id, moves in _returned(person, clawed_back.get(person, []), balances):
            drafts.append(_draft(entry_id, CLAWBACK_UNDONE, moves, run_id, actor_id))
    own = credits.where(np.isin(credits.owners, people))
    for release, entry_id, owner, amount, clawed in zip(*_lists(own), strict=True):
        held = amount - (clawed - taken.get(release, 0))
        moves = _withdrawn(owner, amount, held=held, balances=balances)
        drafts.append(_draft(entry_id, CREDIT_UNDONE, moves, run_id, actor_id))
    book.post_many(uow, drafts)
    uow.session.execute(
        update(Release)
        .where(Release.id.in_(own.releases.tolist()))
        .values(clawed_cents=Release.amount_cents, released_at=uow.clock())
        .execution_options(synchronize_session=False)
    )


def _lists(credits: _Credits) -> list[list[int]]:
    return [getattr(credits, name).tolist() for name in credits.__dataclass_fields__]


def _returned(
    person: int, parts: Sequence[tuple[int, str, int]], balances: dict[AccountKey, int]
) -> Iterator[tuple[int, list[Move]]]:
    """For each claw-back the moves that give it back: held money to the hold, the rest pays debt first."""
    moves: dict[int, list[Move]] = {}
    debt = receivable(person)
    for entry_id, purpose, amount in parts:
        owed = 0 if purpose == "pending" else min(amount, balances[debt])
        balances[debt] -= owed
        rest = pending(person) if purpose == "pending" else available(person)
        balances[rest] += amount - owed
        split = ((debt, owed), (rest, amount - owed))
        found = [Move(COMMISSION_EXPENSE, target, Cents(part)) for target, part in split if part > 0]
        moves.setdefault(entry_id, []).extend(found)
    yield from moves.items()


def _withdrawn(person: int, amount: int, *, held: int, balances: dict[AccountKey, int]) -> list[Move]:
    """Moves that take a credit back: out of its hold, then of what is available, the rest is owed."""
    free = min(amount - held, balances[available(person)])
    parts = ((pending(person), held), (available(person), free), (receivable(person), amount - held - free))
    balances[pending(person)] -= held
    balances[available(person)] -= free
    balances[receivable(person)] += amount - held - free
    return [Move(source, COMMISSION_EXPENSE, Cents(part)) for source, part in parts if part > 0]


def _draft(entry_id: int, kind: str, moves: list[Move], run_id: int, actor_id: int | None) -> Draft:
    return Draft(f"undo-{entry_id}", kind, moves, actor_id=actor_id, cause=("run", run_id), reverses=entry_id)
