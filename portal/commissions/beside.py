"""A cycle beside the one before it, each with the run that stands for it: two questions for all four."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased, defer

from portal.models import Cycle, Run


@dataclass(frozen=True)
class Beside:
    """A cycle and the one before it; their runs without inputs. `old` has totals where it is there."""

    cycle: Cycle
    previous: Cycle | None
    run: Run | None
    old: Run | None


def beside_named(session: Session, name: str) -> Beside | None:
    """The cycle of this name beside the one before it; None where there is none."""
    here = aliased(Cycle)
    before = select(here.previous_id).where(here.name == name).scalar_subquery()
    rows = session.scalars(select(Cycle).where(or_(Cycle.name == name, Cycle.id == before))).unique().all()
    found = next((one for one in rows if one.name == name), None)
    if found is None:
        return None
    return _with_runs(session, found, next((one for one in rows if one is not found), None))


def beside(session: Session, cycle: Cycle) -> Beside:
    """A cycle beside the one before it."""
    previous = session.get(Cycle, cycle.previous_id) if cycle.previous_id else None
    return _with_runs(session, cycle, previous)


def _with_runs(session: Session, cycle: Cycle, previous: Cycle | None) -> Beside:
    ids = [(one.close_run_id or one.preview_run_id or 0) if one else 0 for one in (cycle, previous)]
    wanted = select(Run).where(Run.id.in_(ids)).options(defer(Run.taken))
    runs = {run.id: run for run in session.scalars(wanted)} if any(ids) else {}
    run, old = (runs.get(run_id) for run_id in ids)
    return Beside(cycle, previous, run, old if old is not None and old.totals is not None else None)
