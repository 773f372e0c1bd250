"""What pages and commands read about comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.models import AccountUser, ComparedLine, Comparison, Consultant, Cycle, Person, Run

NOTHING_HERE: Final = "There is nothing here under this address."


@dataclass(frozen=True)
class Wanted:
    """Which differences: of a kind, for a reason, settled or not, of somebody; empty asks for all."""

    kind: str = ""
    reason: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True)
class Difference:
    """One difference, with the name of the consultant where we know them, and of who settled it."""

    line: ComparedLine
    name: str
    public_id: str
    settled_by: str

    @property
    def cents(self) -> int:
        """What has to be added to theirs to come to ours."""
        return (self.line.ours_cents or 0) - (self.line.theirs_cents or 0)


def comparisons(session: Session, *, limit: int = 100) -> Sequence[tuple[Comparison, str, str]]:
    """The last comparisons with the name of the cycle and of who made them, newest first."""
    maker = Person.name.label("maker")
    question = (
        select(Comparison, Cycle.name, func.coalesce(maker, ""))
        .join(Cycle, Cycle.id == Comparison.cycle_id)
        .outerjoin(AccountUser, AccountUser.id == Comparison.made_by)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .order_by(Comparison.id.desc())
        .limit(limit)
    )
    return [(one, cycle, name) for one, cycle, name in session.execute(question)]


def comparable(session: Session) -> list[str]:
    """The names of the cycles that were computed here, newest first."""
    run = func.coalesce(Cycle.close_run_id, Cycle.preview_run_id)
    question = select(Cycle.name).join(Run, Run.id == run).where(Run.purpose != "import")
    return list(session.scalars(question.order_by(Cycle.starts_at.desc())))


def comparison_by_public_id(session: Session, public_id: str) -> tuple[Comparison, Cycle]:
    """A comparison and its cycle; raises `NotYours` where there is none."""
    found = session.scalar(select(Comparison).where(Comparison.public_id == public_id))
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found, session.get_one(Cycle, found.cycle_id)


def is_made(found: Comparison) -> bool:
    """Whether it was compared and is not to be compared again."""
    return found.requested_at is None and "lines" in found.totals


def differences(
    session: Session, comparison_id: int, wanted: Wanted, *, skip: int = 0, limit: int
) -> list[Difference]:
    """A page of differences, the largest first."""
    size = func.abs(func.coalesce(ComparedLine.ours_cents, 0) - func.coalesce(ComparedLine.theirs_cents, 0))
    question = _question(comparison_id, wanted).order_by(size.desc(), ComparedLine.id)
    return [Difference(*row) for row in session.execute(question.offset(skip).limit(limit))]


def every_difference(session: Session, comparison_id: int, wanted: Wanted) -> Iterator[Difference]:
    """All of them by consultant, read while they are used."""
    question = _question(comparison_id, wanted).order_by(ComparedLine.id)
    for row in session.execute(question.execution_options(yield_per=1_000)):
        yield Difference(*row)


def difference(session: Session, comparison_id: int, line_id: int) -> Difference:
    """One difference of a comparison; raises `NotYours` where there is none."""
    question = _question(comparison_id, Wanted()).where(ComparedLine.id == line_id)
    row = session.execute(question).one_or_none()
    if row is None:
        raise NotYours(NOTHING_HERE)
    return Difference(*row)


def count_of(session: Session, comparison_id: int, wanted: Wanted) -> tuple[int, int]:
    """How many differences there are, and the cents from theirs to ours."""
    found = _question(comparison_id, wanted).with_only_columns(
        func.count(),
        func.sum(func.coalesce(ComparedLine.ours_cents, 0) - func.coalesce(ComparedLine.theirs_cents, 0)),
    )
    count, cents = session.execute(found).one()
    return int(count), int(cents or 0)


def kinds_of(session: Session, comparison_id: int) -> list[str]:
    """The kinds that any difference has."""
    question = select(ComparedLine.kind).where(ComparedLine.comparison_id == comparison_id).distinct()
    return sorted(session.scalars(question))


def _question(comparison_id: int, wanted: Wanted) -> Select[ComparedLine, str, str, Any]:
    settler = select(Person.name).join(AccountUser, AccountUser.person_id == Person.id)
    settled_by = settler.where(AccountUser.id == ComparedLine.settled_by).correlate(ComparedLine)
    return (
        select(
            ComparedLine,
            func.coalesce(Person.name, ""),
            func.coalesce(Consultant.public_id, ""),
            func.coalesce(settled_by.scalar_subquery(), ""),
        )
        .outerjoin(Consultant, Consultant.id == ComparedLine.consultant_id)
        .outerjoin(Person, Person.id == Consultant.person_id)
        .where(ComparedLine.comparison_id == comparison_id, *_conditions(wanted))
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(ComparedLine.kind == wanted.kind)
    if wanted.reason:
        found.append(ComparedLine.reason == wanted.reason)
    if wanted.state:
        is_settled = ComparedLine.settled_at.is_not(None)
        found.append(is_settled if wanted.state == "settled" else ~is_settled)
    if text := wanted.text.strip():
        begins = Person.name.istartswith(text, autoescape=True)
        found.append(or_(ComparedLine.code == text.upper(), begins))
    return found
