"""A closed cycle computed again from the facts as they stand today, and compared. It books nothing."""

from __future__ import annotations

from portal.commissions.runs import calculate_run, forget_lines, freeze_run
from portal.commissions.stages import Stages
from portal.kernel.errors import Conflict
from portal.models import Cycle, Run
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import lock_row


def request_comparison(uow: UnitOfWork, *, cycle_id: int, actor_id: int | None) -> None:
    """Ask for a closed cycle to be computed again; a job does it, and asking twice does it once.

    Raises `Conflict` for a cycle that is not closed, and for one that another system closed.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.closed_at is None or cycle.close_run_id is None:
        raise Conflict(f"Cycle {cycle.name} is {cycle.state}; preview it instead.")
    if uow.session.get_one(Run, cycle.close_run_id).purpose == "import":
        raise Conflict(f"Cycle {cycle.name} was closed by another system; its facts are not here.")
    if cycle.compare_requested_at is None:
        cycle.compare_requested_at = uow.clock()
        cycle.requested_by = actor_id
        cycle.refusal = None
        uow.note("cycle.compare", thing="cycle", thing_id=cycle.id, actor_id=actor_id)
    uow.published = True


def compare(uow: UnitOfWork, *, cycle_id: int) -> None:
    """Compute a cycle from the facts of today and keep the lines beside those it was closed with.

    Lines of an earlier comparison are dropped. Nothing is done when nobody asked or the close was undone.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    asked, cycle.compare_requested_at = cycle.compare_requested_at, None
    if asked is None or cycle.close_run_id is None:
        return
    allow_long_work(uow.session)
    going = Stages(cycle.id, "preview")
    run, gathered = freeze_run(uow, cycle, purpose="compare", stages=going)
    calculate_run(uow, run, gathered, stages=going)
    if cycle.compare_run_id is not None:
        forget_lines(uow, cycle.compare_run_id)
    cycle.compare_run_id, cycle.requested_by = run.id, None
    uow.session.flush()
