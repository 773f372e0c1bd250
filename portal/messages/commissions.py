"""Mails about the commission of a closed cycle: one for each person and close, all queued at once.

They wait until the close can no longer be undone, so that nobody reads of money that is taken back.
"""

from __future__ import annotations

import json

import numpy as np
from sqlalchemy import delete, func, select

from portal.kernel.ids import new_id
from portal.models import CommissionLine, Consultant, Cycle, Message
from portal.store.columns import read_columns
from portal.store.copying import Value, copy_rows
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork


def say_commissions(uow: UnitOfWork, *, cycle_id: int) -> None:
    """Tell everybody who earned something the sum of a closed cycle; nothing where it was undone."""
    # Locked: the close may be undone at this moment.
    cycle = lock_row(uow, Cycle, cycle_id)
    run_id = cycle.close_run_id
    if run_id is None or cycle.closed_at is None or _is_told(uow, run_id):
        return
    amount = func.sum(CommissionLine.amount_cents)
    sums = (
        select(Consultant.id, Consultant.person_id, amount)
        .join(CommissionLine, CommissionLine.consultant_id == Consultant.id)
        .where(CommissionLine.run_id == run_id)
        .group_by(Consultant.id, Consultant.person_id)
        .having(amount > 0)
        .order_by(Consultant.id)
    )
    consultants, people, cents = read_columns(uow.session, sums, width=3)
    told = [json.dumps({"cycle": cycle.name, "amount_cents": each}).encode() for each in cents.tolist()]
    now = uow.clock()
    columns: dict[str, Value] = {
        "public_id": np.array([new_id().encode() for _ in told] or [b""]),
        "key": np.array([f"{_key(run_id)}{each}".encode() for each in consultants.tolist()] or [b""]),
        "template": "commission_credited",
        "person_id": people,
        "params": np.array(told or [b""]),
        "state": "queued",
        "attempts": 0,
        "next_at": cycle.undo_until or now,
        "created_at": now,
    }
    copy_rows(uow.session, Message, columns, count=len(told))
    # The relay is woken although no fact was published: it tells the queue that there is mail.
    uow.published = True


def unsay_commissions(uow: UnitOfWork, *, cycle_id: int, run_id: int) -> None:
    """Take out of the queue what would tell of a close that was undone; nothing of it was sent yet."""
    lock_row(uow, Cycle, cycle_id)
    waiting = (Message.key.startswith(_key(run_id)), Message.state == "queued", Message.attempts == 0)
    uow.session.execute(delete(Message).where(*waiting).execution_options(synchronize_session=False))


def _is_told(uow: UnitOfWork, run_id: int) -> bool:
    told = select(Message.id).where(Message.key.startswith(_key(run_id))).limit(1)
    return uow.session.scalar(told) is not None


def _key(run_id: int) -> str:
    return f"commission:{run_id}:"
