"""When a closed cycle is paid: its withdrawals are made, and none of them is open any more."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict
from portal.models import Cycle, PayoutSelection, Withdrawal
from portal.models.payout import OPEN_STATES
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork


def selection_of(session: Session, cycle_id: int) -> PayoutSelection | None:
    """The selection that pays a cycle out, if it was started."""
    ours = (PayoutSelection.cycle_id == cycle_id, PayoutSelection.state != "dropped")
    return session.scalar(select(PayoutSelection).where(*ours))


def settle_cycle(uow: UnitOfWork, *, cycle_id: int, actor_id: int | None) -> None:
    """A closed cycle whose withdrawals are settled, or that has none, is paid.

    Raises `Conflict` when the cycle is not closed.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.state != "closed":
        raise Conflict(f"This cycle is {cycle.state}; only a closed one can be paid.")
    cycle.state, cycle.paid_at = "paid", uow.clock()
    uow.note("cycle.paid", thing="cycle", thing_id=cycle_id, actor_id=actor_id)
    uow.session.flush()


def settle_cycle_when_done(uow: UnitOfWork, *, cycle_id: int, actor_id: int | None) -> bool:
    """Settle a closed cycle once its withdrawals are made and none of them is open; whether it is settled."""
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.state != "closed":
        return False
    ours = (PayoutSelection.cycle_id == cycle_id, PayoutSelection.state == "made")
    selection_id = uow.session.scalar(select(PayoutSelection.id).where(*ours))
    if selection_id is None:
        return False
    still_open = (Withdrawal.selection_id == selection_id, Withdrawal.state.in_(OPEN_STATES))
    if uow.session.scalar(select(Withdrawal.id).where(*still_open).limit(1)) is not None:
        return False
    settle_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    return True


def settle_cycles(uow: UnitOfWork) -> int:
    """Settle every closed cycle whose withdrawals are all settled, whoever settled them; how many."""
    closed = uow.session.scalars(select(Cycle.id).where(Cycle.state == "closed").order_by(Cycle.id)).all()
    return sum(settle_cycle_when_done(uow, cycle_id=cycle_id, actor_id=None) for cycle_id in closed)
