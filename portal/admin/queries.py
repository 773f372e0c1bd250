"""What the overview shows: what waits, what was given up, and the open week in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.members.queries import waiting
from portal.models import Consultant, Cycle, Inbox, Message, Person, Sale, Task


@dataclass(frozen=True)
class Troubles:
    """How many things nobody will try again by themselves, and what the newest task said."""

    events: int
    tasks: int
    messages: int
    last_error: str


@dataclass(frozen=True)
class WeekFigures:
    """The open week: volume in hundredths, revenue in cents, people as counts."""

    sales: int
    refunds: int
    volume: int
    revenue: int
    sellers: int
    joined: int


def troubles(session: Session) -> Troubles:
    """Events, reactions and mails that were given up."""
    newest = select(Task.last_error).where(Task.state == "dead").order_by(Task.id.desc()).limit(1)
    return Troubles(
        events=_count(session, Inbox.state == "dead"),
        tasks=_count(session, Task.state == "dead"),
        messages=_count(session, Message.state.in_(("failed", "unknown"))),
        last_error=session.scalar(newest) or "",
    )


def is_anything_given_up(session: Session) -> bool:
    """Whether an event or a reaction was given up and can be tried again."""
    events = select(Inbox.id).where(Inbox.state == "dead").limit(1)
    tasks = select(Task.id).where(Task.state == "dead").limit(1)
    return session.scalar(events) is not None or session.scalar(tasks) is not None


def waiting_for_a_place(session: Session) -> int:
    """People whom their sponsors have not placed yet."""
    return session.scalar(select(func.count()).select_from(waiting().order_by(None).subquery())) or 0


def week_figures(session: Session, cycle: Cycle) -> WeekFigures:
    """What happened in a week so far."""
    sold = Sale.reverses_id.is_(None)
    sales, refunds, volume, revenue, sellers = session.execute(
        select(
            func.count().filter(sold),
            func.count().filter(~sold),
            func.coalesce(func.sum(Sale.volume), 0),
            func.coalesce(func.sum(Sale.revenue_cents), 0),
            func.count(Sale.consultant_id.distinct()).filter(sold),
        ).where(Sale.cycle_id == cycle.id)
    ).one()
    joined = _count(session, Consultant.joined_at >= cycle.starts_at)
    return WeekFigures(sales, refunds, int(volume), int(revenue), sellers, joined)


@dataclass(frozen=True)
class SaleRow:
    """A sale with what was sold, and by whom."""

    sale: Sale
    service: str
    seller: str
    public_id: str


def cycle_by_name(session: Session, name: str) -> Cycle:
    """The week of this name; raises `NotYours`."""
    found = session.scalars(select(Cycle).where(Cycle.name == name)).unique().one_or_none()
    if found is None:
        raise NotYours("There is no such cycle.")
    return found


def sales_of(session: Session, cycle_id: int, *, before: int, limit: int) -> list[SaleRow]:
    """The sales and refunds of a week, newest first; `before` is the id of the last one of a page."""
    question = (
        select(Sale, Consultant.public_id, Person.name)
        .join(Consultant, Consultant.id == Sale.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(Sale.cycle_id == cycle_id)
        .order_by(Sale.id.desc())
        .limit(limit)
    )
    if before:
        question = question.where(Sale.id < before)
    rows = session.execute(question).unique()
    return [SaleRow(sale, sale.contract.service.name, seller, public_id) for sale, public_id, seller in rows]


def _count(session: Session, condition: object) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0  # type: ignore[arg-type]
