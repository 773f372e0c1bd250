"""How long cycles are: decided by a person, from a day on; what has begun keeps its length."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.weeks import midnight
from portal.kernel.errors import BadInput
from portal.models import Cycle, CycleRhythm
from portal.store import UnitOfWork
from portal.store.locks import close_cycle_gate

USUAL: Final = "week"
PLAN_WORDS: Final = {"day": "daily", "week": "weekly", "month": "monthly"}


def rhythm_at(session: Session, instant: datetime) -> str:
    """The rhythm of a cycle that starts at this instant."""
    decided = (
        select(CycleRhythm.rhythm)
        .where(CycleRhythm.valid_from <= instant)
        .order_by(CycleRhythm.valid_from.desc(), CycleRhythm.id.desc())
        .limit(1)
    )
    return session.scalar(decided) or USUAL


def decide_rhythm(
    uow: UnitOfWork, *, rhythm: str, first_day: date, zone: ZoneInfo, actor_id: int
) -> datetime:
    """Let cycles that start on or after a day have another length; the instant from which it holds.

    Raises `BadInput` for a day on which a cycle has begun already, and for one on which no such cycle can
    begin: weeks begin on Monday, months on the first.
    """
    close_cycle_gate(uow)
    starts = midnight(first_day, zone)
    begun = uow.session.scalar(select(Cycle.starts_at).order_by(Cycle.starts_at.desc()).limit(1))
    if begun is not None and starts <= begun:
        raise BadInput("A cycle has begun on that day or after it. Please choose a later day.")
    if rhythm == "week" and first_day.weekday():
        raise BadInput("Weeks begin on a Monday. Please choose one.")
    if rhythm == "month" and first_day.day != 1:
        raise BadInput("Months begin on their first day. Please choose one.")
    uow.session.add(
        CycleRhythm(rhythm=rhythm, valid_from=starts, decided_by=actor_id, decided_at=uow.clock())
    )
    uow.note("cycle.rhythm", thing="cycle", thing_id=None, actor_id=actor_id, rhythm=rhythm)
    uow.session.flush()
    return starts


def plan_disagrees(document: dict[str, Any], rhythm: str) -> str:
    """A warning where a plan says another length than the cycles have; empty where both agree."""
    word = document.get("cycle")
    if word == PLAN_WORDS[rhythm]:
        return ""
    return f"The pay plan is written for {word} cycles, but cycles will be {PLAN_WORDS[rhythm]}."
