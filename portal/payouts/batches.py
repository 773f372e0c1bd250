"""Batches: approved withdrawals exported together, then confirmed as paid, or void."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.facts import WithdrawalPaid
from portal.kernel.ids import new_id, payout_reference
from portal.ledger.accounts import BANK, CURRENCY
from portal.models import Consultant, Cycle, PayoutBatch, PayoutFile, Person, Withdrawal
from portal.payouts.files import Line, batch_file
from portal.payouts.settling import post_payments
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

_AT_ONCE = 1_000


def export_batch(
    uow: UnitOfWork, *, withdrawal_ids: Sequence[int], actor_id: int, cycle_id: int | None = None
) -> PayoutBatch:
    """Write approved withdrawals into one file, once; the stored bytes are what is downloaded ever after.

    Raises `BadInput` when nothing is chosen, `Conflict` when one of them is not approved (any more).
    """
    if not withdrawal_ids:
        raise BadInput("Please choose at least one withdrawal.")
    states = _locked_states(uow, withdrawal_ids)
    if len(states) != len(set(withdrawal_ids)) or set(states.values()) != {"approved"}:
        raise Conflict("Not all of these are approved any more. Please look again and choose afresh.")
    lines = _lines(uow, sorted(states))
    file = batch_file(lines, currency=CURRENCY)
    batch = PayoutBatch(
        public_id=new_id(),
        cycle_id=cycle_id,
        state="exported",
        count=len(lines),
        sum_cents=sum(line.amount_cents for line in lines),
        currency=CURRENCY,
        created_by=actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(batch)
    uow.session.flush()
    sha256 = hashlib.sha256(file).hexdigest()
    uow.session.add(PayoutFile(batch_id=batch.id, format="csv", content=file, sha256=sha256))
    _change(uow, sorted(states), state="exported", batch_id=batch.id)
    uow.note("batch.export", thing="payout_batch", thing_id=batch.id, actor_id=actor_id, count=len(lines))
    return batch


def confirm_batch(uow: UnitOfWork, *, batch_id: int, actor_id: int) -> PayoutBatch:
    """The bank has paid: every line that did not come back is booked and paid; its cycle is settled.

    Raises `Conflict` when the batch is confirmed or void already.
    """
    cycle_id = uow.session.scalar(select(PayoutBatch.cycle_id).where(PayoutBatch.id == batch_id))
    if cycle_id is not None:
        lock_row(uow, Cycle, cycle_id)
    batch = lock_row(uow, PayoutBatch, batch_id)
    _demand_exported(batch)
    batch.state, batch.confirmed_by, batch.confirmed_at = "confirmed", actor_id, uow.clock()
    uow.session.flush()
    _pay(uow, _exported(uow, batch_id), actor_id)
    uow.note("batch.confirm", thing="payout_batch", thing_id=batch_id, actor_id=actor_id)
    if cycle_id is not None:
        settle_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    uow.session.flush()
    return batch


def void_batch(uow: UnitOfWork, *, batch_id: int, actor_id: int) -> PayoutBatch:
    """The file was never used: its lines are approved again and may go into another batch.

    Raises `Conflict` when the batch is confirmed or void already.
    """
    cycle_id = uow.session.scalar(select(PayoutBatch.cycle_id).where(PayoutBatch.id == batch_id))
    cycle = lock_row(uow, Cycle, cycle_id) if cycle_id is not None else None
    batch = lock_row(uow, PayoutBatch, batch_id)
    _demand_exported(batch)
    batch.state = "void"
    if cycle is not None:
        cycle.payout_batch_id = None
    uow.session.flush()
    _change(uow, [row.id for row in _exported(uow, batch_id)], state="approved", batch_id=None)
    uow.note("batch.void", thing="payout_batch", thing_id=batch_id, actor_id=actor_id)
    uow.session.flush()
    return batch


def settle_cycle(uow: UnitOfWork, *, cycle_id: int, actor_id: int) -> None:
    """A closed cycle whose batch is paid, or that has nothing to pay, is paid.

    Raises `Conflict` when the cycle is not closed.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.state != "closed":
        raise Conflict(f"This cycle is {cycle.state}; only a closed one can be paid.")
    cycle.state, cycle.paid_at = "paid", uow.clock()
    uow.note("cycle.paid", thing="cycle", thing_id=cycle_id, actor_id=actor_id)
    uow.session.flush()


def _demand_exported(batch: PayoutBatch) -> None:
    if batch.state != "exported":
        raise Conflict(f"This batch is {batch.state} already.")


def _locked_states(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> dict[int, str]:
    states: dict[int, str] = {}
    wanted = sorted(set(withdrawal_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        statement = (
            select(Withdrawal.id, Withdrawal.state)
            .where(Withdrawal.id.in_(wanted[start : start + _AT_ONCE]))
            .order_by(Withdrawal.id)
            .with_for_update()
        )
        states.update((row_id, state) for row_id, state in uow.session.execute(statement))
    return states


def _lines(uow: UnitOfWork, withdrawal_ids: Sequence[int]) -> list[Line]:
    lines = []
    for start in range(0, len(withdrawal_ids), _AT_ONCE):
        statement = (
            select(Withdrawal.id, Person.name, Withdrawal.amount_cents, Withdrawal.currency)
            .join(Consultant, Consultant.id == Withdrawal.consultant_id)
            .join(Person, Person.id == Consultant.person_id)
            .where(Withdrawal.id.in_(withdrawal_ids[start : start + _AT_ONCE]))
            .order_by(Withdrawal.id)
        )
        for row_id, name, amount, currency in uow.session.execute(statement):
            lines.append(Line(payout_reference(row_id), name, amount, currency))
    return lines


def _exported(uow: UnitOfWork, batch_id: int) -> Sequence[Withdrawal]:
    """The lines of a batch that are still on their way, locked."""
    return uow.session.scalars(
        select(Withdrawal)
        .where(Withdrawal.batch_id == batch_id, Withdrawal.state == "exported")
        .order_by(Withdrawal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _pay(uow: UnitOfWork, withdrawals: Sequence[Withdrawal], actor_id: int) -> None:
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
