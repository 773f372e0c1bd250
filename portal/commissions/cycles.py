"""A cycle's way: open, ended, previewed, approved by two people, closed, paid."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, or_, select

from portal.commissions import beginnings, weeks
from portal.commissions.credits import credits_in
from portal.commissions.plans.versions import plan_at
from portal.commissions.rhythms import cycle_from, rhythm_at
from portal.commissions.runs import calculate_run, forget_lines, freeze_run
from portal.commissions.stages import Stages
from portal.kernel.errors import Conflict
from portal.kernel.facts import CycleEnded
from portal.ledger.bulk import Wallets, open_wallets
from portal.models import Approval, Cycle, Run
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import close_cycle_gate, lock_row, lock_where

APPROVALS_NEEDED = 2


def open_first_cycle(uow: UnitOfWork, *, at: datetime, zone: ZoneInfo) -> Cycle:
    """Open the week in which `at` lies, as the first of the company."""
    return _open(uow, weeks.cycle_of(rhythm_at(uow.session, at), at, zone), previous=None)


def open_next_cycle(uow: UnitOfWork, *, after: Cycle, zone: ZoneInfo) -> Cycle:
    """Open the cycle that follows one of another system, and carries on from what that one hands on."""
    return _open(uow, cycle_from(uow.session, after.until, zone), previous=after)


def end_if_due(uow: UnitOfWork, *, zone: ZoneInfo, early: bool = False) -> Cycle | None:
    """End the open cycle when its time is over and open the next one; the ended cycle, or None.

    Sales that are being recorded commit first; later ones belong to the next cycle. `early` ends it before
    its time, which only a company that tries things out may do.
    """
    close_cycle_gate(uow)
    cycle = lock_where(uow, Cycle, Cycle.state == "open")
    if cycle is None or (cycle.until > uow.clock() and not early):
        return None
    cycle.state = "ended"
    cycle.ended_at = uow.clock()
    uow.session.flush()
    _open(uow, cycle_from(uow.session, cycle.until, zone), previous=cycle)
    beginnings.do_all(uow, cycle.ended_at)
    uow.publish(CycleEnded(cycle.id))
    return cycle


def requests() -> Select[int, str]:
    """What was asked for and not done yet, as (cycle, `undo`, `close` …), earliest cycle first."""
    columns = {
        "undo": Cycle.undo_requested_at,
        "close": Cycle.close_requested_at,
        "preview": Cycle.preview_requested_at,
        "compare": Cycle.compare_requested_at,
    }
    what = case(*((column.is_not(None), name) for name, column in columns.items()))
    asked = or_(*(column.is_not(None) for column in columns.values()))
    return select(Cycle.id, what).where(asked).order_by(Cycle.starts_at)


def request_preview(uow: UnitOfWork, *, cycle_id: int, actor_id: int | None) -> None:
    """Ask for a preview; a job makes it.

    Raises `Conflict` while the cycle is open or before the one before it is closed.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    _check_previewable(uow, cycle)
    cycle.preview_requested_at = uow.clock()
    cycle.requested_by = actor_id
    cycle.refusal = None
    uow.note("cycle.preview", thing="cycle", thing_id=cycle.id, actor_id=actor_id)
    uow.published = True


def preview(uow: UnitOfWork, *, cycle_id: int) -> Run:
    """Compute an ended cycle without booking anything; earlier approvals lose their effect.

    Raises `Conflict` as `request_preview` does.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    _check_previewable(uow, cycle)
    replaced = cycle.preview_run_id
    allow_long_work(uow.session)
    going = Stages(cycle_id, "preview")
    run, gathered = freeze_run(uow, cycle, purpose="preview", stages=going)
    result = calculate_run(uow, run, gathered, stages=going)
    # Opened here and not while the close holds its locks; an empty account says nothing to anybody.
    credits = credits_in(result, gathered.consultants)
    open_wallets(uow, Wallets("pending", credits.consultants[credits.amounts > 0]))
    cycle.requested_by = None
    cycle.preview_run_id = run.id
    cycle.preview_requested_at = None
    cycle.refusal = None
    cycle.state = "previewed"
    # What was closed and undone keeps its lines: the books still speak of them.
    if replaced is not None and uow.session.get_one(Run, replaced).posted_at is None:
        forget_lines(uow, replaced)
    return run


def approve(uow: UnitOfWork, *, cycle_id: int, run_id: int, actor_id: int) -> int:
    """Say yes to the run that is on the screen; how many said yes, two are needed.

    Raises `Conflict` when a newer preview replaced the run, when the person said yes already, or when the
    cycle is not up for approval.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.state != "previewed":
        raise Conflict(f"Cycle {cycle.name} is {cycle.state}; only a previewed cycle can be approved.")
    if cycle.preview_run_id != run_id or cycle.preview_requested_at is not None:
        raise Conflict("There is a newer preview. Please look at it before you approve.")
    run = uow.session.get_one(Run, run_id)
    if run.undone_at is not None:
        raise Conflict("The close of this run was undone. Please preview the cycle again.")
    approvals = list(uow.session.scalars(select(Approval.user_id).where(Approval.run_id == run_id)))
    if actor_id in approvals:
        raise Conflict("You approved this preview already. A second person has to approve it too.")
    uow.session.add(
        Approval(run_id=run_id, user_id=actor_id, output_hash=str(run.output_hash), approved_at=uow.clock())
    )
    uow.note("cycle.approve", thing="run", thing_id=run_id, actor_id=actor_id, output_hash=run.output_hash)
    if len(approvals) + 1 >= APPROVALS_NEEDED:
        cycle.state = "approved"
    uow.session.flush()
    return len(approvals) + 1


def request_close(uow: UnitOfWork, *, cycle_id: int, actor_id: int | None) -> None:
    """Ask for the close of an approved cycle; a job does it. Asking again changes nothing.

    Raises `Conflict` when the cycle is not approved.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.closed_at is not None:
        return
    if cycle.state != "approved":
        raise Conflict(
            f"Cycle {cycle.name} is {cycle.state}; two people have to approve it before it is closed."
        )
    if cycle.close_requested_at is None:
        cycle.close_requested_at = uow.clock()
        cycle.requested_by = actor_id
        uow.note("cycle.close", thing="cycle", thing_id=cycle.id, actor_id=actor_id)
    uow.published = True


def note_refusal(uow: UnitOfWork, *, cycle_id: int, reason: str) -> None:
    """Show the admins why a preview, a close or an undo did not happen; it waits for their decision."""
    cycle = lock_row(uow, Cycle, cycle_id)
    cycle.preview_requested_at = None
    cycle.close_requested_at = None
    cycle.compare_requested_at = None
    cycle.requested_by = None
    cycle.refusal = reason[:1000]
    if cycle.undo_requested_at is not None:
        cycle.undo_requested_at = None
        run = uow.session.get_one(Run, cycle.close_run_id)
        run.undone_by = run.undo_reason = None
    if cycle.state == "approved":
        cycle.state = "previewed"
        _give_up_close(uow, cycle)


def _give_up_close(uow: UnitOfWork, cycle: Cycle) -> None:
    """What a refused close took must not bind the next one; it has booked nothing."""
    if cycle.close_run_id is not None:
        uow.session.get_one(Run, cycle.close_run_id).purpose = "preview"
        cycle.close_run_id = None


def _check_previewable(uow: UnitOfWork, cycle: Cycle) -> None:
    if cycle.state not in ("ended", "previewed", "approved"):
        ends = f"it ends on {cycle.until:%Y-%m-%d}" if cycle.state == "open" else "it is closed for good"
        raise Conflict(f"Cycle {cycle.name} cannot be previewed: {ends}.")
    if cycle.close_requested_at is not None:
        raise Conflict(f"Cycle {cycle.name} is being closed.")
    unclosed = (
        select(func.count())
        .select_from(Cycle)
        .where(Cycle.starts_at < cycle.starts_at, Cycle.closed_at.is_(None))
    )
    if uow.session.scalar(unclosed):
        raise Conflict(f"Cycle {cycle.name} builds on the one before it; close that one first.")


def _open(uow: UnitOfWork, week: weeks.Week, *, previous: Cycle | None) -> Cycle:
    plan = plan_at(uow.session, week.starts_at)
    cycle = Cycle(
        name=week.name,
        starts_at=week.starts_at,
        until=week.until,
        state="open",
        rhythm=week.rhythm,
        previous_id=previous.id if previous else None,
        plan_version_id=plan.id,
    )
    uow.session.add(cycle)
    uow.session.flush()
    return cycle
