"""Batches: approved withdrawals exported together, then confirmed as paid, or void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.kernel.facts import WithdrawalPaid
from portal.kernel.ids import new_id, payout_reference
from portal.kernel.money import format_money
from portal.ledger.accounts import BANK, CURRENCY
from portal.models import (
    Consultant,
    Cycle,
    Destination,
    PayoutBatch,
    PayoutMethod,
    PayoutSelection,
    Person,
    ResultLine,
    Withdrawal,
)
from portal.payouts.cycle_settling import settle_cycle_when_done
from portal.payouts.files import FORMATS, WRITERS, Contents, Line
from portal.payouts.payees.destinations import details_of
from portal.payouts.payees.methods import settings_of
from portal.payouts.selections import refuse_above_run_limit
from portal.payouts.settling import post_payments
from portal.payouts.stops import refuse_while_stopped
from portal.payouts.stored import keep_file
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

_NOT_APPROVED = "Not all of these are approved any more. Please look again and choose afresh."
_AT_ONCE = 1_000


def export_batches(uow: UnitOfWork, *, withdrawal_ids: Sequence[int], actor_id: int) -> list[PayoutBatch]:
    """Write approved withdrawals into files, one batch for each method; raises as `export_batch`."""
    if not withdrawal_ids:
        raise BadInput("Please choose at least one withdrawal.")
    _lock_cycles(uow, withdrawal_ids)
    by_method: dict[int, list[int]] = {}
    for row_id, (_state, method_id) in _locked(uow, withdrawal_ids).items():
        by_method.setdefault(method_id or 0, []).append(row_id)
    missing = len(set(withdrawal_ids)) - sum(len(ids) for ids in by_method.values())
    if missing:
        raise Conflict(_NOT_APPROVED)
    return [export_batch(uow, withdrawal_ids=ids, actor_id=actor_id) for ids in by_method.values()]


def export_batch(uow: UnitOfWork, *, withdrawal_ids: Sequence[int], actor_id: int) -> PayoutBatch:
    """Write approved withdrawals of one method into files, once; these bytes are downloaded ever after.

    Raises `BadInput` when nothing is chosen, several methods are, or a method's limit for one run is passed;
    `Conflict` when one of them is not approved (any more), its payment details were changed since, or payouts
    are stopped; `DomainError` for what the person who exports has approved alone.
    """
    if not withdrawal_ids:
        raise BadInput("Please choose at least one withdrawal.")
    refuse_while_stopped(uow)
    _lock_cycles(uow, withdrawal_ids)
    locked = _locked(uow, withdrawal_ids)
    if len(locked) != len(set(withdrawal_ids)) or {state for state, _ in locked.values()} != {"approved"}:
        raise Conflict(_NOT_APPROVED)
    _refuse_alone(uow, sorted(locked), actor_id)
    methods = {method_id for _, method_id in locked.values()}
    if len(methods) > 1:
        raise BadInput("Please choose withdrawals of one way to pay.")
    method = uow.session.get(PayoutMethod, methods.pop() or 0)
    lines = _lines(uow, sorted(locked))
    cycle_id = _cycle_of(uow, sorted(locked))
    cycle = lock_row(uow, Cycle, cycle_id) if cycle_id is not None else None
    batch = _write(uow, lines, method=method, cycle=cycle, actor_id=actor_id)
    if cycle is not None:
        cycle.payout_batch_id = batch.id
    uow.session.flush()
    batch_id = batch.id
    _change(uow, sorted(locked), state="exported", batch_id=batch_id)
    uow.note("batch.export", thing="payout_batch", thing_id=batch_id, actor_id=actor_id, count=len(lines))
    return uow.session.get_one(PayoutBatch, batch_id)


def confirm_batch(uow: UnitOfWork, *, batch_id: int, actor_id: int) -> PayoutBatch:
    """The bank has paid: every line that did not come back is booked and paid; its cycle is settled.

    Raises `Conflict` when the batch is confirmed or void already, or while a line of the bank is in suspense.
    """
    cycle_id = lock_cycle(uow, batch_id)
    batch = lock_row(uow, PayoutBatch, batch_id)
    _demand_exported(batch)
    _refuse_in_suspense(uow, batch_id)
    batch.state, batch.confirmed_by, batch.confirmed_at = "confirmed", actor_id, uow.clock()
    uow.session.flush()
    pay(uow, _exported(uow, batch_id), actor_id)
    uow.note("batch.confirm", thing="payout_batch", thing_id=batch_id, actor_id=actor_id)
    if cycle_id is not None:
        settle_cycle_when_done(uow, cycle_id=cycle_id, actor_id=actor_id)
    uow.session.flush()
    return batch


def void_batch(uow: UnitOfWork, *, batch_id: int, actor_id: int) -> PayoutBatch:
    """The file was never used: its lines are approved again and may go into another batch.

    Raises `Conflict` when the batch is confirmed or void already, or the bank has answered to any of it.
    """
    cycle_id = lock_cycle(uow, batch_id)
    batch = lock_row(uow, PayoutBatch, batch_id)
    _demand_exported(batch)
    _refuse_answered(uow, batch_id)
    batch.state = "void"
    if cycle_id is not None:
        _forget_batch(uow, cycle_id, batch_id)
    uow.session.flush()
    _change(uow, [row.id for row in _exported(uow, batch_id)], state="approved", batch_id=None)
    uow.note("batch.void", thing="payout_batch", thing_id=batch_id, actor_id=actor_id)
    uow.session.flush()
    return batch


def is_answered(session: Session, batch_id: int) -> bool:
    """Whether anything is known of what the bank did with a batch: then its file was used."""
    ended = select(Withdrawal.id).where(Withdrawal.batch_id == batch_id, Withdrawal.state != "exported")
    heard = select(ResultLine.id).where(ResultLine.batch_id == batch_id)
    return any(session.scalar(question.limit(1)) is not None for question in (ended, heard))


def _refuse_in_suspense(uow: UnitOfWork, batch_id: int) -> None:
    waiting = select(func.count()).where(
        ResultLine.batch_id == batch_id, ResultLine.problem.is_not(None), ResultLine.settled_at.is_(None)
    )
    if count := uow.session.scalar(waiting):
        raise Conflict(
            f"Lines of the bank that do not fit wait for a person: {count}. Settle them first,"
            " then say whether the bank paid the rest."
        )


def lock_cycle(uow: UnitOfWork, batch_id: int) -> int | None:
    """Lock the cycle that a batch pays, if there is one: cycle, batch, withdrawals is the order of locks."""
    cycle_id = uow.session.scalar(select(PayoutBatch.cycle_id).where(PayoutBatch.id == batch_id))
    if cycle_id is not None:
        lock_row(uow, Cycle, cycle_id)
    return cycle_id


def _refuse_alone(uow: UnitOfWork, withdrawal_ids: Sequence[int], actor_id: int) -> None:
    """Two people stand between a request and the bank; what the company made already has two."""
    for start in range(0, len(withdrawal_ids), _AT_ONCE):
        alone = select(Withdrawal.id).where(
            Withdrawal.id.in_(withdrawal_ids[start : start + _AT_ONCE]),
            Withdrawal.selection_id.is_(None),
            Withdrawal.decided_by == actor_id,
        )
        if uow.session.scalar(alone.limit(1)) is not None:
            raise DomainError("You approved some of these. Somebody else has to export them.")


def _lock_cycles(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> None:
    for cycle_id in sorted(found for found in _cycles_of(uow, withdrawal_ids) if found is not None):
        lock_row(uow, Cycle, cycle_id)


def _forget_batch(uow: UnitOfWork, cycle_id: int, batch_id: int) -> None:
    cycle = uow.session.get_one(Cycle, cycle_id)
    if cycle.payout_batch_id == batch_id:
        cycle.payout_batch_id = None


def _demand_exported(batch: PayoutBatch) -> None:
    if batch.state != "exported":
        raise Conflict(f"This batch is {batch.state} already.")


def _refuse_answered(uow: UnitOfWork, batch_id: int) -> None:
    """Hold every line, so that none ends meanwhile; go on only where the bank knows nothing of them."""
    own = select(Withdrawal.id).where(Withdrawal.batch_id == batch_id).order_by(Withdrawal.id)
    uow.session.execute(own.with_for_update()).all()
    if is_answered(uow.session, batch_id):
        raise Conflict("The bank has answered to this batch already, so its file was used.")


def _write(
    uow: UnitOfWork, lines: Sequence[Line], *, method: PayoutMethod | None, cycle: Cycle | None, actor_id: int
) -> PayoutBatch:
    total = sum(line.amount_cents for line in lines)
    if method is not None:
        refuse_above_run_limit(uow, method.id, total)
    batch = PayoutBatch(
        public_id=new_id(),
        state="exported",
        count=len(lines),
        sum_cents=total,
        currency=CURRENCY,
        method_id=method.id if method else None,
        cycle_id=cycle.id if cycle else None,
        created_by=actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(batch)
    uow.session.flush()
    settings = settings_of(method) if method else {}
    contents = Contents(batch.public_id, lines, CURRENCY, uow.clock(), settings, cycle.name if cycle else "")
    for name in FORMATS.get(method.kind if method else "file", ()):
        keep_file(uow, batch_id=batch.id, format=name, content=WRITERS[name](contents))
    return batch


def _cycle_of(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> int | None:
    """The cycle that all these withdrawals pay out, if there is one."""
    cycles = _cycles_of(uow, withdrawal_ids)
    return cycles.pop() if len(cycles) == 1 else None


def _cycles_of(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> set[int | None]:
    cycles: set[int | None] = set()
    for start in range(0, len(withdrawal_ids), _AT_ONCE):
        statement = (
            select(PayoutSelection.cycle_id)
            .select_from(Withdrawal)
            .outerjoin(PayoutSelection, PayoutSelection.id == Withdrawal.selection_id)
            .where(Withdrawal.id.in_(withdrawal_ids[start : start + _AT_ONCE]))
            .distinct()
        )
        cycles.update(uow.session.scalars(statement))
    return cycles


def _locked(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    """State and method of these withdrawals, locked in the order of their ids."""
    found: dict[int, tuple[str, int | None]] = {}
    wanted = sorted(set(withdrawal_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        statement = (
            select(Withdrawal.id, Withdrawal.state, Withdrawal.method_id)
            .where(Withdrawal.id.in_(wanted[start : start + _AT_ONCE]))
            .order_by(Withdrawal.id)
            .with_for_update()
        )
        found.update((row_id, (state, method)) for row_id, state, method in uow.session.execute(statement))
    return found


def _lines(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> list[Line]:
    lines = []
    for start in range(0, len(withdrawal_ids), _AT_ONCE):
        statement = (
            select(Withdrawal, Person.name, Destination)
            .join(Consultant, Consultant.id == Withdrawal.consultant_id)
            .join(Person, Person.id == Consultant.person_id)
            .outerjoin(Destination, Destination.id == Withdrawal.destination_id)
            .where(Withdrawal.id.in_(withdrawal_ids[start : start + _AT_ONCE]))
            .order_by(Withdrawal.id)
        )
        rows = uow.session.execute(statement).all()
        _refuse_changed([(name, place) for _withdrawal, name, place in rows])
        lines += [line_of(*row) for row in rows]
    return lines


def _refuse_changed(places: Sequence[tuple[str, Destination | None]]) -> None:
    """What was approved for one account is not paid to it once its owner has left it."""
    changed = sorted({name for name, place in places if place is not None and place.replaced_at is not None})
    if changed:
        raise Conflict(
            f"Payment details were changed after the approval: {', '.join(changed[:5])}. "
            "Reject these withdrawals; they have to be asked for again."
        )


def line_of(withdrawal: Withdrawal, name: str, destination: Destination | None) -> Line:
    """A withdrawal as it stands in a file: what arrives, and where."""
    details = details_of(destination) if destination else None
    reference = payout_reference(withdrawal.id)
    line = Line(reference, name, withdrawal.net_cents, withdrawal.currency)
    if details is None:
        return line
    return replace(
        line,
        holder=details.holder,
        routing=details.routing,
        account=details.account,
        account_type=details.type,
    )


def _exported(uow: UnitOfWork, batch_id: int) -> Sequence[Withdrawal]:
    """The lines of a batch that are still on their way, locked."""
    return uow.session.scalars(
        select(Withdrawal)
        .where(Withdrawal.batch_id == batch_id, Withdrawal.state == "exported")
        .order_by(Withdrawal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def pay(uow: UnitOfWork, withdrawals: Sequence[Withdrawal], actor_id: int) -> None:
    """Book exported withdrawals as paid by the bank; the caller holds their rows."""
    ids = [withdrawal.id for withdrawal in withdrawals]
    post_payments(uow, withdrawals, from_account=BANK, actor_id=actor_id)
    _change(uow, ids, state="paid", settled_at=uow.clock())
    for withdrawal_id in ids:
        uow.publish(WithdrawalPaid(withdrawal_id), key=f"withdrawal.paid:{withdrawal_id}")


def _change(uow: UnitOfWork, withdrawal_ids: Sequence[int], **values: str | int | datetime | None) -> None:
    """Set columns of many withdrawals at once; what the session knows of them is read again."""
    for start in range(0, len(withdrawal_ids), _AT_ONCE):
        statement = update(Withdrawal).where(Withdrawal.id.in_(withdrawal_ids[start : start + _AT_ONCE]))
        uow.session.execute(statement.values(**values).execution_options(synchronize_session=False))
    uow.session.expire_all()


def amount_of(line: Line) -> str:
    """The amount of a line for people."""
    return format_money(line.amount_cents, line.currency)
