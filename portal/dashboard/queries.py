"""Reads for the first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.models import CommissionLine, Consultant, Cycle

WEEKS = 12


@dataclass(frozen=True)
class Week:
    """What one consultant earned in a cycle that is over, in cents."""

    name: str
    starts_at: datetime
    earned: int


@dataclass(frozen=True)
class Income:
    """What everybody earned in the closed cycles, zero earners included; amounts in cents."""

    weeks: int
    people: int
    without: int
    median: int


def past_weeks(session: Session, consultant_id: int) -> list[Week]:
    """The last cycles that were worked out, oldest first; one that is not closed counts as last previewed."""
    run = func.coalesce(Cycle.close_run_id, Cycle.preview_run_id)
    last = (
        select(Cycle.name, Cycle.starts_at, run.label("run_id"))
        .where(Cycle.state != "open", run.is_not(None))
        .order_by(Cycle.starts_at.desc())
        .limit(WEEKS - 1)
        .subquery()
    )
    own = (CommissionLine.run_id == last.c.run_id) & (CommissionLine.consultant_id == consultant_id)
    rows = session.execute(
        select(last.c.name, last.c.starts_at, func.coalesce(func.sum(CommissionLine.amount_cents), 0))
        .outerjoin(CommissionLine, own)
        .group_by(last.c.name, last.c.starts_at)
        .order_by(last.c.starts_at.desc())
    )
    return [Week(name, starts_at, int(earned)) for name, starts_at, earned in rows][::-1]


def income(session: Session) -> Income | None:
    """What everybody earned in the last closed cycles; None before the first close.

    Closed runs never change, so the figures are remembered until the next close.
    """
    closed = select(Cycle.close_run_id, Cycle.until).where(Cycle.close_run_id.is_not(None))
    rows = session.execute(closed.order_by(Cycle.starts_at.desc()).limit(WEEKS)).all()
    runs = [run_id for run_id, _until in rows if run_id is not None]
    if not runs:
        return None
    key = (id(session.get_bind()), *runs)
    if key not in _remembered:
        found = _income(session, runs, until=rows[0][1])
        _remembered.clear()
        _remembered[key] = found
    return _remembered[key]


_remembered: dict[tuple[int, ...], Income] = {}


def _income(session: Session, runs: list[int], *, until: datetime) -> Income:
    people = session.scalar(select(func.count()).where(Consultant.joined_at < until)) or 0
    earned = _earned(runs)
    paid = session.scalar(select(func.count()).select_from(earned.subquery())) or 0
    without, middle = people - paid, people // 2
    above = earned.order_by(func.sum(CommissionLine.amount_cents)).offset(middle - without).limit(1)
    median = 0 if middle < without else session.scalar(above) or 0
    return Income(weeks=len(runs), people=people, without=without, median=int(median))


def _earned(runs: list[int]) -> Select[int]:
    """What each consultant earned in these runs, of those who earned anything."""
    total = func.sum(CommissionLine.amount_cents)
    return (
        select(total)
        .where(CommissionLine.run_id.in_(runs))
        .group_by(CommissionLine.consultant_id)
        .having(total > 0)
    )
