"""What admins look at: the cycles, and the run behind one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.models import Cycle, Run, Sale


@dataclass(frozen=True)
class CycleRow:
    """A cycle in a list: volume in hundredths, what its run pays in cents; None while it was not computed."""

    cycle: Cycle
    name: str
    state: str
    starts_at: datetime
    until: datetime
    volume: int
    paid: int | None
    people_paid: int | None


@dataclass(frozen=True)
class Totals:
    """The totals of a run: volumes in hundredths, money in cents, people as counts."""

    volume: int
    paid: int
    by_kind: dict[str, int]
    people: int
    people_paid: int
    carried: int
    matched: int
    expired: int


def cycle_rows(session: Session) -> list[CycleRow]:
    """All cycles, newest first."""
    cycles = session.scalars(select(Cycle).order_by(Cycle.starts_at.desc())).unique().all()
    runs = _totals_of(session, [cycle.close_run_id or cycle.preview_run_id for cycle in cycles])
    return [_cycle_row(session, cycle, runs) for cycle in cycles]


def cycle_named(session: Session, name: str) -> Cycle | None:
    """The cycle of this name, such as `2026-W46`."""
    return session.scalars(select(Cycle).where(Cycle.name == name)).unique().one_or_none()


def run_of(session: Session, cycle: Cycle) -> Run | None:
    """The run that stands for a cycle: the one it was closed with, else its latest preview."""
    run_id = cycle.close_run_id or cycle.preview_run_id
    return None if run_id is None else session.get(Run, run_id)


def totals_of(run: Run) -> Totals:
    """The totals of a run that was calculated."""
    return _totals(run.totals or {})


def _totals(stored: dict[str, object]) -> Totals:
    kept = cast(dict[str, Any], stored)
    return Totals(
        volume=kept["volume"],
        paid=kept["paid_cents"],
        by_kind=kept["by_kind_cents"],
        people=kept["people"],
        people_paid=kept["people_paid"],
        carried=kept["carried"],
        matched=kept["matched"],
        expired=kept["expired"],
    )


def _totals_of(session: Session, run_ids: list[int | None]) -> dict[int | None, Totals]:
    wanted = [run_id for run_id in run_ids if run_id is not None]
    rows = session.execute(select(Run.id, Run.totals).where(Run.id.in_(wanted), Run.totals.is_not(None)))
    return {run_id: _totals(stored) for run_id, stored in rows if stored}


def _cycle_row(session: Session, cycle: Cycle, runs: dict[int | None, Totals]) -> CycleRow:
    totals = runs.get(cycle.close_run_id or cycle.preview_run_id)
    return CycleRow(
        cycle=cycle,
        name=cycle.name,
        state=cycle.state,
        starts_at=cycle.starts_at,
        until=cycle.until,
        volume=totals.volume if totals else _sold(session, cycle.id),
        paid=totals.paid if totals else None,
        people_paid=totals.people_paid if totals else None,
    )


def _sold(session: Session, cycle_id: int) -> int:
    return int(session.scalar(select(func.sum(Sale.volume)).where(Sale.cycle_id == cycle_id)) or 0)
