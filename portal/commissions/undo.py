"""Undoing a close: for a short while after it, by reversing entries. Nothing is deleted.

Until the window is over no held money becomes available, the company pays nothing out of the cycle, and no
mail tells of it; so everything a close did can be taken back, and closing again is a new run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.commissions.stages import Stages
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.facts import CycleUndone
from portal.ledger.undoing import reverse_run
from portal.models import Cycle, PayoutSelection, Run
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import lock_row

MOST_LETTERS = 500
# A job may start a little after the last moment at which somebody could ask for it.
GRACE = timedelta(minutes=5)


def problem_with_undo(session: Session, cycle: Cycle, *, now: datetime) -> str:
    """Why the close of this cycle cannot be undone (any more); empty when it can."""
    if cycle.state == "paid" or _payout_of(session, cycle.id):
        return f"Cycle {cycle.name} is being paid out; its close can no longer be undone."
    if cycle.state != "closed" or cycle.close_run_id is None:
        return f"Cycle {cycle.name} is {cycle.state}; only a close can be undone."
    if cycle.undo_until is None or now > cycle.undo_until:
        return f"The close of cycle {cycle.name} can no longer be undone: its time is over."
    if _is_built_upon(session, cycle):
        return f"The cycle after {cycle.name} was closed; undo that one first."
    return ""


def request_undo(uow: UnitOfWork, *, cycle_id: int, actor_id: int, reason: str) -> None:
    """Ask for a close to be undone; a job does it. Asking again changes nothing.

    Raises `BadInput` without a reason, `Conflict` when it cannot be undone (any more).
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.undo_requested_at is not None:
        return
    words = reason.strip()
    if not words or len(words) > MOST_LETTERS:
        raise BadInput(f"Please say why, in at most {MOST_LETTERS} letters.")
    if problem := problem_with_undo(uow.session, cycle, now=uow.clock()):
        raise Conflict(problem)
    run = uow.session.get_one(Run, cycle.close_run_id)
    run.undone_by, run.undo_reason = actor_id, words
    cycle.undo_requested_at = uow.clock()
    cycle.refusal = None
    uow.note("cycle.undo", thing="run", thing_id=run.id, actor_id=actor_id)
    uow.published = True


def undo(uow: UnitOfWork, *, cycle_id: int) -> None:
    """Reverse what the close booked and put the cycle back to previewed; nothing when that is done.

    A new preview is asked for, so that nobody's earlier yes counts for the next close. Raises `Conflict` when
    it cannot be undone (any more).
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.undo_requested_at is None:
        return
    if problem := problem_with_undo(uow.session, cycle, now=uow.clock() - GRACE):
        raise Conflict(problem)
    allow_long_work(uow.session)
    run = uow.session.get_one(Run, cycle.close_run_id)
    going = Stages(cycle_id, "undo")
    with going.at("reverse"):
        taken = {int(release): int(str(cents)) for release, cents in (run.taken or {}).items()}
        reverse_run(uow, run_id=run.id, taken=taken, actor_id=run.undone_by)
    with going.at("finish"):
        _put_back(uow, cycle_id, run.id)
    going.write_down(uow.session.get_one(Run, run.id))


def _put_back(uow: UnitOfWork, cycle_id: int, run_id: int) -> None:
    cycle, run = lock_row(uow, Cycle, cycle_id), uow.session.get_one(Run, run_id)
    run.undone_at = uow.clock()
    cycle.state = "previewed"
    cycle.close_run_id = cycle.closed_at = cycle.undo_until = cycle.undo_requested_at = None
    cycle.preview_requested_at = uow.clock()
    cycle.requested_by = run.undone_by
    uow.publish(CycleUndone(cycle.id, run.id), key=f"cycle.undone:{run.id}")


def _payout_of(session: Session, cycle_id: int) -> bool:
    begun = (PayoutSelection.cycle_id == cycle_id, PayoutSelection.state != "dropped")
    return session.scalar(select(PayoutSelection.id).where(*begun).limit(1)) is not None


def _is_built_upon(session: Session, cycle: Cycle) -> bool:
    closing = or_(Cycle.closed_at.is_not(None), Cycle.close_run_id.is_not(None))
    later = select(Cycle.id).where(Cycle.starts_at > cycle.starts_at, closing)
    return session.scalar(later.limit(1)) is not None
