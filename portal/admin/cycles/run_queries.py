"""Reads about runs: who asked for one, what computed it, how often it was compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.kept import code_version
from portal.commissions.replay import COMPARED
from portal.kernel.errors import NotYours
from portal.models import AccountUser, Audit, CommissionLine, Consultant, Cycle, Person, PlanVersion, Run

MOST_COMPARISONS = 5


@dataclass(frozen=True)
class About:
    """What stands beside a run: names of people, the plan's name, whether the engine is still the same."""

    requested_by: str
    undone_by: str
    plan_name: str
    plan_valid_from: datetime
    same_engine: bool
    stands: bool


@dataclass(frozen=True)
class Compared:
    """One time that a run was computed again: who did it, when, and what they found."""

    at: datetime
    name: str
    same: bool
    differences: Sequence[str]
    more: int


def run(session: Session, run_id: int) -> Run:
    """A run. Raises `NotYours` where there is none."""
    found = session.get(Run, run_id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def about(session: Session, found: Run) -> About:
    """What is to be said about a run."""
    cycle, plan = session.get_one(Cycle, found.cycle_id), session.get_one(PlanVersion, found.plan_version_id)
    stands = found.id == (cycle.close_run_id or cycle.preview_run_id)
    return About(
        requested_by=_user_name(session, found.requested_by),
        undone_by=_user_name(session, found.undone_by),
        plan_name=plan.name,
        plan_valid_from=plan.valid_from,
        same_engine=found.code_version == code_version(),
        stands=stands,
    )


def runs_of(session: Session, cycle_id: int) -> Sequence[Any]:
    """All runs of a cycle, newest first: previews, closes, and those that were undone."""
    columns = (
        Run.id,
        Run.purpose,
        Run.frozen_at,
        Run.calculated_at,
        Run.posted_at,
        Run.undone_at,
        Run.output_hash,
        Run.totals,
    )
    return session.execute(select(*columns).where(Run.cycle_id == cycle_id).order_by(Run.id.desc())).all()


def comparisons(session: Session, run_id: int) -> list[Compared]:
    """The last times that a run was computed again and compared, newest first."""
    rows = session.execute(
        select(Audit.at, Person.name, Audit.detail)
        .outerjoin(AccountUser, AccountUser.id == Audit.actor_id)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .where(Audit.action == COMPARED, Audit.thing == "run", Audit.thing_id == run_id)
        .order_by(Audit.id.desc())
        .limit(MOST_COMPARISONS)
    )
    found: list[Any] = [*rows]
    return [
        Compared(at, name or "", detail["same"], detail["differences"], detail["more"])
        for at, name, detail in found
    ]


def line_of(session: Session, run_id: int, consultant_id: int, *, line_id: int) -> CommissionLine:
    """A line of a run that is this consultant's. Raises `NotYours` for every other."""
    wanted = (CommissionLine.run_id == run_id, CommissionLine.consultant_id == consultant_id)
    found = session.scalar(select(CommissionLine).where(CommissionLine.id == line_id, *wanted))
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def lines_of(session: Session, run_id: int, consultant_id: int) -> Sequence[CommissionLine]:
    """All lines of a consultant in a run, by kind, the largest first."""
    wanted = (CommissionLine.run_id == run_id, CommissionLine.consultant_id == consultant_id)
    ordered = (CommissionLine.kind, CommissionLine.amount_cents.desc(), CommissionLine.id)
    return session.scalars(select(CommissionLine).where(*wanted).order_by(*ordered)).all()


def consultant(session: Session, public_id: str) -> Consultant:
    """A consultant by public id. Raises `NotYours` where there is none."""
    found = session.scalar(select(Consultant).where(Consultant.public_id == public_id))
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def _user_name(session: Session, user_id: int | None) -> str:
    if user_id is None:
        return ""
    user = session.get(AccountUser, user_id)
    return user.person.name if user else ""
