"""The bank's answer to a batch: what it paid is booked, what failed goes back, what does not fit waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.facts import WithdrawalReturned
from portal.kernel.ids import payout_reference
from portal.models import Consultant, Destination, PayoutBatch, Person, ResultLine, Withdrawal
from portal.payouts import batches
from portal.payouts.cycle_settling import settle_cycle_when_done
from portal.payouts.files import Line, guarded
from portal.payouts.own import own_consultants
from portal.payouts.result_files import ResultRow, cents_of
from portal.payouts.settling import bring_back, give_back
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_NOTE = 500


@dataclass
class Imported:
    """What became of the lines of a file, counted; `known` were read before."""

    paid: int = 0
    returned: int = 0
    known: int = 0
    problems: int = 0


@dataclass
class _Batch:
    """A batch whose answer is read: its lines by reference, and what was read of it before."""

    batch_id: int
    by_reference: dict[str, tuple[Withdrawal, Line]]
    seen: set[tuple[str, ...]]
    own: frozenset[int]
    contradicted: set[str] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    imported: Imported = field(default_factory=Imported)
    to_pay: list[Withdrawal] = field(default_factory=list)
    to_return: list[tuple[Withdrawal, str]] = field(default_factory=list)


def import_result(uow: UnitOfWork, rows: Sequence[ResultRow], *, batch_id: int, actor_id: int) -> Imported:
    """Apply a bank's result file, line by line: only a line that is as it was exported moves money.

    A file that comes again changes nothing. Once no line waits for its answer the batch is confirmed. Raises
    `Conflict` for a void batch.
    """
    cycle_id = batches.lock_cycle(uow, batch_id)
    if lock_row(uow, PayoutBatch, batch_id).state == "void":
        raise Conflict("This batch is void; nothing of it can be paid.")
    read = _read(uow, batch_id, actor_id)
    read.contradicted = _contradicted(rows)
    for row in rows:
        _judge(uow, read, row, actor_id)
    _apply(uow, read, actor_id)
    _confirm_when_answered(uow, batch_id, actor_id)
    if cycle_id is not None:
        settle_cycle_when_done(uow, cycle_id=cycle_id, actor_id=actor_id)
    counts = vars(read.imported)
    uow.note("batch.result", thing="payout_batch", thing_id=batch_id, actor_id=actor_id, **counts)
    return read.imported


@dataclass(frozen=True)
class Heard:
    """The bank's lines about a batch: how many were read, and what they said; `refused` did not fit."""

    read: int
    paid: int
    failed: int
    refused: int


def heard_of(session: Session, batch_id: int) -> Heard:
    """What the bank said of a batch until now, counted."""
    fits = ResultLine.problem.is_(None)
    row = session.execute(
        select(
            func.count(),
            func.count().filter(fits, ResultLine.outcome == "paid"),
            func.count().filter(fits, ResultLine.outcome == "failed"),
            func.count().filter(~fits),
        ).where(ResultLine.batch_id == batch_id)
    ).one()
    return Heard(*row)


def suspense(session: Session, *, settled: bool = False, limit: int = 200) -> list[tuple[ResultLine, str]]:
    """Lines that did not fit and wait for a person, with the public ids of their batches; newest first."""
    question = (
        select(ResultLine, PayoutBatch.public_id)
        .join(PayoutBatch, PayoutBatch.id == ResultLine.batch_id)
        .where(ResultLine.problem.is_not(None))
        .order_by(ResultLine.id.desc())
        .limit(limit)
    )
    waits = ResultLine.settled_at.is_not(None) if settled else ResultLine.settled_at.is_(None)
    return [(line, public_id) for line, public_id in session.execute(question.where(waits))]


def settle(uow: UnitOfWork, *, line_id: int, actor_id: int, note: str) -> None:
    """A person looked into a line that did not fit, and says what came of it.

    Raises `BadInput` without a note, `Conflict` when it is settled already.
    """
    note = note.strip()
    if not note or len(note) > LONGEST_NOTE:
        raise BadInput("Please write what came of it, in up to 500 letters.", field="note")
    line = lock_row(uow, ResultLine, line_id)
    if line.problem is None or line.settled_at is not None:
        raise Conflict("This line is settled already.")
    line.settled_at, line.settled_by = uow.clock(), actor_id
    line.reason = "; ".join(part for part in (line.reason, note) if part)[:LONGEST_NOTE]
    uow.note("result_line.settle", thing="payout_result_line", thing_id=line.id, actor_id=actor_id)
    uow.session.flush()


def _judge(uow: UnitOfWork, read: _Batch, row: ResultRow, actor_id: int) -> None:
    problem = _problem(read, row)
    print_of_it = _print(row, row.cents, problem)
    if print_of_it in read.seen:
        read.imported.known += 1
        return
    read.seen.add(print_of_it)
    uow.session.add(_kept(row, problem, read.batch_id, at=uow.clock(), actor_id=actor_id))
    if problem is not None:
        read.imported.problems += 1
        return
    _take(read, row)


def _take(read: _Batch, row: ResultRow) -> None:
    """A line that fits ends its withdrawal, once however often the file says so."""
    withdrawal, _line = read.by_reference[row.reference]
    if withdrawal.id in read.taken:
        read.imported.known += 1
        return
    read.taken.add(withdrawal.id)
    if row.outcome == "paid" and withdrawal.state == "exported":
        read.to_pay.append(withdrawal)
    elif row.outcome == "failed" and withdrawal.state in ("exported", "paid"):
        read.to_return.append((withdrawal, row.reason or "The bank did not say why."))
    else:
        read.imported.known += 1


def _problem(read: _Batch, row: ResultRow) -> str | None:
    """What does not fit; None for a line that may move money."""
    found = read.by_reference.get(row.reference)
    if found is None:
        return "No line of this batch has this reference."
    withdrawal, line = found
    if row.cents != line.amount_cents:
        return f"The amount is not the one that was exported, {batches.amount_of(line)}."
    if row.currency != line.currency:
        return f"The currency is not the one that was exported, {line.currency}."
    if changed := _changed_account(row, line):
        return f"{changed} is not what was exported."
    return _problem_with_outcome(read, row, withdrawal)


def _problem_with_outcome(read: _Batch, row: ResultRow, withdrawal: Withdrawal) -> str | None:
    if row.outcome == "unread":
        return "The outcome is neither paid nor failed."
    if row.reference in read.contradicted:
        return "This file says of the same payment that it was paid and that it failed."
    if withdrawal.consultant_id in read.own:
        return "Somebody else has to settle your own withdrawal."
    if row.outcome == "paid" and withdrawal.state not in ("exported", "paid"):
        return "The money is back in the wallet already."
    return None


def _contradicted(rows: Sequence[ResultRow]) -> set[str]:
    outcomes: dict[str, set[str]] = {}
    for row in rows:
        outcomes.setdefault(row.reference, set()).add(row.outcome)
    return {reference for reference, said in outcomes.items() if {"paid", "failed"} <= said}


def _changed_account(row: ResultRow, line: Line) -> str:
    exported = {
        "account_holder": line.holder,
        "routing_number": line.routing,
        "account_number": line.account,
        "account_type": line.account_type,
    }
    for name, written in row.account:
        if written not in (exported[name], guarded(exported[name])):
            return name
    return ""


def _apply(uow: UnitOfWork, read: _Batch, actor_id: int) -> None:
    read.imported.paid, read.imported.returned = len(read.to_pay), len(read.to_return)
    uow.session.flush()
    if read.to_pay:
        batches.pay(uow, read.to_pay, actor_id)
    for withdrawal, reason in read.to_return:
        end = bring_back if withdrawal.state == "paid" else partial(give_back, state="returned")
        end(uow, withdrawal, actor_id=actor_id, reason=reason[:500])
        uow.publish(WithdrawalReturned(withdrawal.id), key=f"withdrawal.returned:{withdrawal.id}")


def _confirm_when_answered(uow: UnitOfWork, batch_id: int, actor_id: int) -> None:
    waiting = (Withdrawal.batch_id == batch_id, Withdrawal.state == "exported")
    batch = lock_row(uow, PayoutBatch, batch_id)
    if (
        batch.state == "exported"
        and uow.session.scalar(select(Withdrawal.id).where(*waiting).limit(1)) is None
    ):
        batch.state, batch.confirmed_by, batch.confirmed_at = "confirmed", actor_id, uow.clock()
        uow.session.flush()


def _read(uow: UnitOfWork, batch_id: int, actor_id: int) -> _Batch:
    rows = uow.session.execute(
        select(Withdrawal, Person.name, Destination)
        .join(Consultant, Consultant.id == Withdrawal.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .outerjoin(Destination, Destination.id == Withdrawal.destination_id)
        .where(Withdrawal.batch_id == batch_id)
        .order_by(Withdrawal.id)
        .with_for_update(of=Withdrawal)
        .execution_options(populate_existing=True)
    )
    lines = {
        payout_reference(withdrawal.id): (withdrawal, batches.line_of(withdrawal, name, destination))
        for withdrawal, name, destination in rows
    }
    kept = uow.session.scalars(select(ResultLine).where(ResultLine.batch_id == batch_id))
    return _Batch(
        batch_id=batch_id,
        by_reference=lines,
        seen={_print(line, cents_of(line.amount), line.problem) for line in kept},
        own=frozenset(uow.session.scalars(own_consultants(actor_id))),
    )


def _print(row: ResultRow | ResultLine, cents: int | None, problem: str | None) -> tuple[str, ...]:
    """What makes two lines the same; 1,200.00 and 1200.0 are one amount."""
    amount = row.amount[:40] if cents is None else str(cents)
    return (row.reference[:100], amount, row.currency[:40], row.outcome, problem or "")


def _kept(row: ResultRow, problem: str | None, batch_id: int, *, at: datetime, actor_id: int) -> ResultLine:
    return ResultLine(
        batch_id=batch_id,
        line=row.line,
        reference=row.reference[:100],
        amount=row.amount[:40],
        currency=row.currency[:40],
        outcome=row.outcome,
        reason=row.reason or None,
        problem=problem,
        imported_at=at,
        imported_by=actor_id,
    )
