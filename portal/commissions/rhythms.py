"""How long cycles are: decided by a person, from a day on; what has begun keeps its length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions import weeks
from portal.commissions.weeks import Week, midnight
from portal.kernel.errors import BadInput
from portal.models import AccountUser, Cycle, CycleRhythm, Person
from portal.store import UnitOfWork
from portal.store.locks import close_cycle_gate

USUAL: Final = "week"
PLAN_WORDS: Final = {"day": "daily", "week": "weekly", "month": "monthly"}
LONGEST_REASON: Final = 500
SHORTEST_REASON: Final = 10
STARTS_OFFERED: Final = 12


@dataclass(frozen=True)
class Wish:
    """Cycles that start on `first_day` or later shall have this rhythm, and why."""

    rhythm: str
    first_day: date
    reason: str


@dataclass(frozen=True)
class Beginning:
    """A day from which a rhythm can hold, and the first cycle that it then shapes."""

    first_day: date
    cycle: Week


@dataclass(frozen=True)
class Decided:
    """A decision, who made it, and what became of it: `replaced`, `coming`, `holds` or `over`."""

    row: CycleRhythm
    name: str
    state: str


def rhythm_at(session: Session, instant: datetime) -> str:
    """The rhythm of a cycle that starts at this instant."""
    decided = (
        select(CycleRhythm.rhythm)
        .where(CycleRhythm.valid_from <= instant, CycleRhythm.replaced_at.is_(None))
        .order_by(CycleRhythm.valid_from.desc(), CycleRhythm.id.desc())
        .limit(1)
    )
    return session.scalar(decided) or USUAL


def cycle_from(session: Session, start: datetime, zone: ZoneInfo) -> Week:
    """The cycle that begins where another ended, as long as was decided."""
    return weeks.cycle_from(rhythm_at(session, start), start, zone)


def cycles_ahead(session: Session, zone: ZoneInfo, *, wish: Wish | None = None) -> Iterator[Week]:
    """The cycles after the open one, as they come by what is decided; none where no cycle is open.

    With a wish: as if it were decided, which takes the place of what is not in force.
    """
    until = session.scalar(select(Cycle.until).where(Cycle.state == "open"))
    decided = _decided(session, zone, wish)
    while until is not None:
        rhythm = next((rhythm for starts, rhythm in decided if starts <= until), USUAL)
        cycle = weeks.cycle_from(rhythm, until, zone)
        yield cycle
        until = cycle.until


def _decided(session: Session, zone: ZoneInfo, wish: Wish | None) -> list[tuple[datetime, str]]:
    """From when which rhythm holds, the latest first."""
    rows = session.execute(
        select(CycleRhythm.valid_from, CycleRhythm.rhythm)
        .where(CycleRhythm.replaced_at.is_(None))
        .order_by(CycleRhythm.valid_from.desc(), CycleRhythm.id.desc())
    )
    decided = [(starts, rhythm) for starts, rhythm in rows]
    if wish is None:
        return decided
    begun = latest_start(session)
    in_force = [(starts, rhythm) for starts, rhythm in decided if begun and starts <= begun]
    return [(midnight(wish.first_day, zone), wish.rhythm), *in_force]


def decide_rhythm(uow: UnitOfWork, wish: Wish, *, zone: ZoneInfo, actor_id: int) -> datetime:
    """Let cycles that start on or after a day have another length; the instant from which it holds.

    A decision that was not in force yet is replaced. Raises `BadInput` for a day on which a cycle has begun
    already, for one on which no such cycle can begin (weeks begin on Monday, months on the first), for a wish
    that changes nothing, and without a reason.
    """
    close_cycle_gate(uow)
    starts, begun = midnight(wish.first_day, zone), latest_start(uow.session)
    if begun is not None and starts <= begun:
        raise BadInput(
            "A cycle has begun on that day or after it. Please choose a later day.", field="first_day"
        )
    if wish.rhythm == "week" and wish.first_day.weekday():
        raise BadInput("Weeks begin on a Monday. Please choose one.", field="first_day")
    if wish.rhythm == "month" and wish.first_day.day != 1:
        raise BadInput("Months begin on their first day. Please choose one.", field="first_day")
    waiting = coming(uow.session)
    if not waiting and wish.rhythm == rhythm_at(uow.session, starts):
        raise BadInput("Cycles have this length already.", field="rhythm")
    _replace(uow, waiting)
    _write_down(uow, wish, starts, actor_id=actor_id)
    return starts


def _replace(uow: UnitOfWork, waiting: list[CycleRhythm]) -> None:
    for decision in waiting:
        decision.replaced_at = uow.clock()


def _write_down(uow: UnitOfWork, wish: Wish, starts: datetime, *, actor_id: int) -> None:
    reason = " ".join(wish.reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise BadInput(
            f"Please write a reason of {SHORTEST_REASON} to {LONGEST_REASON} letters.", field="reason"
        )
    decision = CycleRhythm(
        rhythm=wish.rhythm, valid_from=starts, reason=reason, decided_by=actor_id, decided_at=uow.clock()
    )
    uow.session.add(decision)
    uow.session.flush()
    uow.note(
        "cycle.rhythm",
        thing="cycle_rhythm",
        thing_id=decision.id,
        actor_id=actor_id,
        rhythm=wish.rhythm,
        valid_from=starts.isoformat(),
        reason=reason,
    )


def latest_start(session: Session) -> datetime | None:
    """When the newest cycle began; None in a company without one."""
    return session.scalar(select(Cycle.starts_at).order_by(Cycle.starts_at.desc()).limit(1))


def coming(session: Session) -> list[CycleRhythm]:
    """The decisions that shape no cycle yet, the first one first."""
    begun = latest_start(session)
    waiting = select(CycleRhythm).where(CycleRhythm.replaced_at.is_(None)).order_by(CycleRhythm.valid_from)
    return list(session.scalars(waiting if begun is None else waiting.where(CycleRhythm.valid_from > begun)))


def present_rhythm(session: Session) -> str:
    """The rhythm of the newest cycle; the usual one before the first."""
    begun = latest_start(session)
    return USUAL if begun is None else rhythm_at(session, begun)


def what_follows(session: Session, zone: ZoneInfo) -> Week | None:
    """The first cycle of another length that is decided; None where nothing waits to come into force."""
    waiting = coming(session)
    if not waiting:
        return None
    return next((one for one in cycles_ahead(session, zone) if one.starts_at >= waiting[0].valid_from), None)


def beginnings(session: Session, rhythm: str, zone: ZoneInfo) -> list[Beginning]:
    """The first cycles that a rhythm could shape, each with the day from which it would be decided.

    What is decided but not in force is left out, for it would be replaced.
    """
    cycle = session.scalar(select(Cycle).where(Cycle.state == "open"))
    found: list[Beginning] = []
    if cycle is None:
        return found
    before, start = cycle.starts_at, cycle.until
    present = rhythm_at(session, before)
    while len(found) < STARTS_OFFERED:
        first_day = _clean_day(rhythm, before, start, zone)
        if first_day is not None:
            found.append(Beginning(first_day, weeks.cycle_from(rhythm, start, zone)))
        before, start = start, weeks.cycle_from(present, start, zone).until
    return found


def _clean_day(rhythm: str, before: datetime, start: datetime, zone: ZoneInfo) -> date | None:
    """The last day after one start and up to the next on which such a cycle begins in the calendar."""
    first = weeks.cycle_of(rhythm, start, zone).starts_at
    return first.astimezone(zone).date() if first > before else None


def decisions(session: Session) -> list[Decided]:
    """All decisions about the rhythm, the newest first."""
    begun = latest_start(session)
    rows = session.execute(
        select(CycleRhythm, Person.name)
        .outerjoin(AccountUser, AccountUser.id == CycleRhythm.decided_by)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .order_by(CycleRhythm.id.desc())
    ).all()
    in_force = [row for row, _name in rows if not row.replaced_at and begun and row.valid_from <= begun]
    holds = max(in_force, key=lambda row: (row.valid_from, row.id), default=None)
    return [Decided(row, name or "", _state(row, holds, in_force)) for row, name in rows]


def _state(row: CycleRhythm, holds: CycleRhythm | None, in_force: list[CycleRhythm]) -> str:
    if row.replaced_at is not None:
        return "replaced"
    if row is holds:
        return "holds"
    return "over" if row in in_force else "coming"


def plan_disagrees(document: dict[str, Any], rhythm: str) -> str:
    """A warning where a plan says another length than the cycles have; empty where both agree."""
    word = document.get("cycle")
    if word == PLAN_WORDS[rhythm]:
        return ""
    return f"The pay plan is written for {word} cycles, but cycles will be {PLAN_WORDS[rhythm]}."
