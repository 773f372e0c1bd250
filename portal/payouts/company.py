"""The company pays out a closed cycle: a selection of everybody who has enough, made and approved by two."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict
from portal.models import Cycle, PayoutMethod, PayoutSelection, PayoutSelectionLine, Withdrawal
from portal.payouts import batches, selections
from portal.payouts.approval import approve_selection
from portal.payouts.candidates import Criteria
from portal.payouts.cycle_settling import selection_of as selection_of
from portal.payouts.cycle_settling import settle_cycle
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork


def select_for_cycle(uow: UnitOfWork, *, cycle_id: int, actor_id: int) -> PayoutSelection | None:
    """The selection that pays out a closed cycle; the one that is there when it is asked again.

    None when nobody can be paid: then the cycle is paid at once. The wallet of the person who acts is left
    out. Raises `Conflict` when the cycle is not closed, or its close can still be undone.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if known := selection_of(uow.session, cycle_id):
        return known
    if cycle.state != "closed":
        raise Conflict(f"This cycle is {cycle.state}; only a closed one can be paid.")
    if cycle.undo_requested_at or (cycle.undo_until and cycle.undo_until > uow.clock()):
        raise Conflict("The close of this cycle can still be undone. It is paid when that time is over.")
    made = selections.find(uow, Criteria(minimum=_smallest(uow)), actor_id=actor_id, cycle_id=cycle_id)
    payable = select(func.count()).where(
        PayoutSelectionLine.selection_id == made.id, PayoutSelectionLine.excluded_reason.is_(None)
    )
    if uow.session.scalar(payable):
        return made
    made.state = "dropped"
    settle_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    return None


def pay_on(uow: UnitOfWork, *, cycle_id: int, actor_id: int) -> None:
    """The next step of paying a cycle out: make the withdrawals, or approve what another made and export it.

    Who made them only looks on. Raises `Conflict` when the cycle is not closed.
    """
    found = select_for_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    if found is None:
        return
    if found.state == "draft":
        selections.make(uow, selection_id=found.id, actor_id=actor_id)
    elif found.made_by != actor_id:
        selection_id = found.id
        approve_selection(uow, selection_id=selection_id, actor_id=actor_id)
        approved = (Withdrawal.selection_id == selection_id, Withdrawal.state == "approved")
        ids = uow.session.scalars(select(Withdrawal.id).where(*approved)).all()
        if ids:
            batches.export_batches(uow, withdrawal_ids=ids, actor_id=actor_id)


def made_of(session: Session, selection_id: int) -> tuple[int, int]:
    """How many withdrawals a selection made, and their sum in cents."""
    made = select(func.count(), func.coalesce(func.sum(Withdrawal.amount_cents), 0))
    count, cents = session.execute(made.where(Withdrawal.selection_id == selection_id)).one()
    return count, int(cents)


def _smallest(uow: UnitOfWork) -> int:
    """The smallest amount that any method on offer pays."""
    least = uow.session.scalar(select(func.min(PayoutMethod.minimum_cents)).where(PayoutMethod.enabled))
    return least or 1
