"""What a trial came to: cycle by cycle, kind by kind, and person by person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, cast

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from portal.models import Consultant, Cycle, Person, Trial, TrialCycle, TrialPerson

WHOLE: Final = 10_000
PAGE: Final = 25
EDGES: Final = (-500_00, -100_00, -10_00, 0, 10_00, 100_00, 500_00)
ORDERS: Final = ("most", "losers", "winners")


@dataclass(frozen=True)
class Sums:
    """One cycle or all of them under one plan: cents, volumes in hundredths, `ratio` in ten-thousandths."""

    paid: int
    revenue: int
    lost: int
    expired: int
    by_kind: dict[str, int]

    @property
    def ratio(self) -> int | None:
        """What part of the revenue is paid out."""
        return self.paid * WHOLE // self.revenue if self.revenue > 0 else None


@dataclass(frozen=True)
class CycleSums:
    """A cycle as it was closed and as the draft would have it."""

    name: str
    before: Sums
    after: Sums


@dataclass(frozen=True)
class Band:
    """How many people's pay changes by more than `above` up to `upto` cents; None for no bound."""

    above: int | None
    upto: int | None
    people: int
    change: int


@dataclass(frozen=True)
class Moved:
    """One consultant: cents before, after, and the difference."""

    public_id: str
    code: str
    name: str
    before: int
    after: int
    change: int


def cycle_sums(session: Session, trial: Trial) -> list[CycleSums]:
    """The cycles that are done, in their order."""
    rows = session.execute(
        select(Cycle.name, TrialCycle.before, TrialCycle.after)
        .join(Cycle, Cycle.id == TrialCycle.cycle_id)
        .where(TrialCycle.trial_id == trial.id, TrialCycle.done_at.is_not(None))
        .order_by(Cycle.starts_at)
    )
    return [CycleSums(name, _sums(before), _sums(after)) for name, before, after in rows]


def all_sums(sums: list[Sums]) -> Sums:
    """Several cycles together."""
    kinds = dict.fromkeys(kind for one in sums for kind in one.by_kind)
    return Sums(
        paid=sum(one.paid for one in sums),
        revenue=sum(one.revenue for one in sums),
        lost=sum(one.lost for one in sums),
        expired=sum(one.expired for one in sums),
        by_kind={kind: sum(one.by_kind.get(kind, 0) for one in sums) for kind in kinds},
    )


def trials_of(session: Session, draft_id: int) -> list[Trial]:
    """The trials of a draft, the newest first."""
    rows = select(Trial).where(Trial.plan_draft_id == draft_id).order_by(Trial.id.desc()).limit(PAGE)
    return list(session.scalars(rows))


def bands(session: Session, trial: Trial) -> list[Band]:
    """Everybody by how much their pay changes; nobody's change of 0 has a band of its own."""
    change = TrialPerson.change_cents
    number = case(
        (change == 0, len(EDGES) + 1),
        *((change <= edge if edge < 0 else change < edge, at) for at, edge in enumerate(EDGES)),
        else_=len(EDGES),
    )
    rows = session.execute(
        select(number, func.count(), func.sum(change))
        .where(TrialPerson.trial_id == trial.id)
        .group_by(number)
    )
    found = {int(at): (int(people), int(total)) for at, people, total in rows}
    bounds = [(None, EDGES[0]), *pairwise(EDGES), (EDGES[-1], None), (0, 0)]
    all_bands = [Band(above, upto, *found.get(at, (0, 0))) for at, (above, upto) in enumerate(bounds)]
    middle = EDGES.index(0) + 1
    return [*all_bands[:middle], all_bands[-1], *all_bands[middle:-1]]


def people(session: Session, trial: Trial, *, asked: str, order: str, page: int) -> list[Moved]:
    """A page of the people of a trial, one more than fits on it; those whose name or code begins so."""
    statement = _people(trial)
    if asked:
        lower = asked.lower()
        name, code = func.lower(Person.name), func.lower(Consultant.code)
        statement = statement.where(
            or_(
                name.startswith(lower, autoescape=True),
                name.contains(" " + lower, autoescape=True),
                code.startswith(lower, autoescape=True),
            )
        )
    change = TrialPerson.change_cents
    by = {"losers": change.asc(), "winners": change.desc()}.get(order, func.abs(change).desc())
    rows = session.execute(
        statement.order_by(by, TrialPerson.consultant_id).offset(page * PAGE).limit(PAGE + 1)
    )
    return [Moved(*row) for row in rows]


def everybody(session: Session, trial: Trial) -> Iterator[Moved]:
    """All people of a trial, read while they are used."""
    rows = _people(trial).order_by(TrialPerson.consultant_id).execution_options(yield_per=1_000)
    return (Moved(*row) for row in session.execute(rows))


def _people(trial: Trial) -> Select[str, str, str, int, int, int]:
    return (
        select(
            *(Consultant.public_id, Consultant.code, Person.name),
            *(TrialPerson.before_cents, TrialPerson.after_cents, TrialPerson.change_cents),
        )
        .join(Consultant, Consultant.id == TrialPerson.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(TrialPerson.trial_id == trial.id)
    )


def _sums(stored: object) -> Sums:
    kept = cast(dict[str, Any], stored)
    found = kept["breakage"]
    return Sums(
        paid=kept["paid_cents"],
        revenue=kept["revenue_cents"],
        lost=sum(found["money"]["lost"].values()),
        expired=sum(sum(leg["lost"].values()) for leg in found["legs"].values()),
        by_kind=kept["by_kind_cents"],
    )
