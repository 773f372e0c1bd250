"""Reads of statements: by day, with what is open, and the days of which no statement came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.models import (
    AccountUser,
    Inbox,
    Person,
    Statement,
    StatementDifference,
    StatementLine,
    StatementMapping,
    StatementQuestion,
    Vendor,
)
from portal.statements.known import Known, known_of_all
from portal.statements.questions import answered_by_vendor, is_answered, questions_about
from portal.statements.settling import ASK, KEEP, REVERSE, THEIRS, at_once
from portal.store.inbox import vendor_source
from portal.store.statement_days import is_open, open_by_vendor, vendors_by_id

MOST_SHOWN = 500


@dataclass(frozen=True)
class Day:
    """The statement of a day that counts: its lines, its differences, those still open and by kind.

    `answered` are open ones of which the vendor answered what was asked.
    """

    statement: Statement
    lines: int
    differences: int
    open: int
    missing: int
    extra: int
    different: int
    answered: int


@dataclass(frozen=True)
class Shown:
    """A difference with what is here about it, who settled it, and what the buttons beside it do.

    `questions` are what the vendor was asked and answered, `names` the people in them by account.
    """

    known: Known
    settled_by: str
    first: str | None
    questions: Sequence[StatementQuestion]
    names: Mapping[int | None, str]

    @property
    def difference(self) -> StatementDifference:
        return self.known.difference

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody chose what should happen, and a job is about to do it."""
        one = self.difference
        return one.settled_at is None and one.choice in (THEIRS, REVERSE, KEEP)

    @property
    def is_asked(self) -> bool:
        """Whether it waits for an answer of the vendor."""
        return self.difference.choice == ASK and self.questions[-1].answered_at is None

    @property
    def is_answered(self) -> bool:
        """Whether the vendor answered and the company has not decided yet."""
        return self.difference.choice == ASK and not self.is_asked


def days(session: Session, vendor_id: int, *, before: date | None = None, limit: int = 31) -> list[Day]:
    """The statements of a vendor that count, newest day first; days earlier than `before`."""
    rows = _days().where(Statement.vendor_id == vendor_id)
    if before is not None:
        rows = rows.where(Statement.day < before)
    return _read(session, rows.order_by(Statement.day.desc()).limit(limit))


def last_statement(session: Session, vendor_id: int) -> Day | None:
    """The statement of the newest day."""
    return next(iter(days(session, vendor_id, limit=1)), None)


def day_of(session: Session, statement: Statement) -> Day:
    """The numbers of one statement."""
    return _read(session, _days(counting=False).where(Statement.id == statement.id))[0]


def statement_of(session: Session, vendor_id: int, public_id: str) -> Statement:
    """A vendor's statement, replaced or not. Raises `NotYours`."""
    found = session.scalars(
        select(Statement).where(Statement.vendor_id == vendor_id, Statement.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotYours("There is no such statement.")
    return found


def replaced(session: Session, statement: Statement) -> Sequence[Statement]:
    """Earlier and later statements of the same day, newest first."""
    rows = select(Statement).where(
        Statement.vendor_id == statement.vendor_id,
        Statement.day == statement.day,
        Statement.id != statement.id,
    )
    return session.scalars(rows.order_by(Statement.received_at.desc())).all()


def differences(session: Session, statement: Statement, *, still_open: bool) -> list[Shown]:
    """The first 500 differences of a statement that are open, or those that are settled."""
    rows = select(StatementDifference).where(
        StatementDifference.statement_id == statement.id, is_open() if still_open else ~is_open()
    )
    found = session.scalars(rows.order_by(StatementDifference.id).limit(MOST_SHOWN)).all()
    return shown(session, known_of_all(session, statement, found))


def shown(session: Session, known: Sequence[Known]) -> list[Shown]:
    """Differences as pages show them."""
    asked = questions_about(session, [each.difference.id for each in known])
    spoke = {one.asked_by for some in asked.values() for one in some}
    spoke |= {one.answered_by for some in asked.values() for one in some}
    who = ({each.difference.settled_by for each in known} | spoke) - {None}
    named = select(AccountUser.id, Person.name).join(Person, Person.id == AccountUser.person_id)
    names: dict[int | None, str] = {
        row[0]: row[1] for row in session.execute(named.where(AccountUser.id.in_(who)))
    }
    return [
        Shown(
            each,
            names.get(each.difference.settled_by, ""),
            at_once(each),
            asked.get(each.difference.id, ()),
            names,
        )
        for each in known
    ]


def difference_of(session: Session, vendor_id: int, public_id: str) -> StatementDifference:
    """A difference of one of a vendor's statements. Raises `NotYours`."""
    rows = select(StatementDifference).join(Statement, Statement.id == StatementDifference.statement_id)
    found = session.scalars(
        rows.where(Statement.vendor_id == vendor_id, StatementDifference.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotYours("There is no such difference.")
    return found


def stuck_event(session: Session, vendor_id: int, difference: StatementDifference) -> Inbox | None:
    """The event of the same type about the same contract that came and has not taken effect."""
    rows = select(Inbox).where(
        Inbox.source == vendor_source(vendor_id),
        Inbox.object_ref == difference.contract_ref,
        Inbox.kind == difference.type,
        Inbox.state.in_(("new", "retry", "dead")),
    )
    return session.scalars(rows.order_by(Inbox.id.desc()).limit(1)).first()


def open_differences(session: Session) -> list[tuple[Vendor, int, int]]:
    """The vendors whose statements have open differences, by name: how many, how many of them answered."""
    counted, answered = open_by_vendor(session), answered_by_vendor(session)
    vendors = sorted(vendors_by_id(session, counted).values(), key=lambda vendor: vendor.name)
    return [(vendor, counted[vendor.id], answered.get(vendor.id, 0)) for vendor in vendors]


def mapping_of(session: Session, vendor_id: int) -> StatementMapping | None:
    """Which column meant what in the vendor's last upload."""
    rows = select(StatementMapping).where(StatementMapping.vendor_id == vendor_id)
    return session.scalars(rows.order_by(StatementMapping.changed_at.desc()).limit(1)).first()


def _days(*, counting: bool = True) -> Select[*tuple[Any, ...]]:
    waits = and_(StatementDifference.id.is_not(None), is_open())

    def number(kind: str) -> Any:
        return func.count(case((and_(waits, StatementDifference.kind == kind), 1)))

    lines = select(func.count()).where(StatementLine.statement_id == Statement.id).scalar_subquery()
    rows = (
        select(
            Statement,
            lines,
            func.count(StatementDifference.id),
            func.count(case((waits, 1))),
            *(number(kind) for kind in ("missing", "extra", "different")),
            func.count(case((and_(waits, is_answered()), 1))),
        )
        .outerjoin(StatementDifference, StatementDifference.statement_id == Statement.id)
        .group_by(Statement.id)
    )
    return rows.where(Statement.replaced_at.is_(None)) if counting else rows


def _read(session: Session, rows: Select[*tuple[Any, ...]]) -> list[Day]:
    return [Day(*row) for row in session.execute(rows)]
