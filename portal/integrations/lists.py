"""Lists that a program reads to their end: in an order in which what comes later stands behind.

Every list takes whose rows are meant: a consultant, or nobody for the whole company. `after` is the id of the
last row of the page before; `None` is the answer where there is no such row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Row, Select, and_, literal, or_, select, text, union_all
from sqlalchemy.orm import Session, aliased

from portal.integrations.documents import decimal, instant, lead_document, sale_document
from portal.models import CommissionLine, Consultant, Cycle, Lead, Pack, Run, Sale
from portal.store import people

# What two people write at the same moment must not come in the wrong order: a page ends before the first row
# that is younger, whatever stands behind it.
SETTLED_AFTER: Final = timedelta(seconds=5)
# Closes looked at with one question after the first: what a consultant earned may lie in hundreds of them.
CYCLES_AT_ONCE: Final = 20
_ENDED: Final = text("sale.txid < pg_snapshot_xmin(pg_current_snapshot())")
_EARNING: Final = re.compile(r"([0-9A-Za-z-]{1,16})\.([0-9]{1,18})")

Documents = list[dict[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """A page of somebody's rows: the consultant (None for the company's), where it begins, how many, when."""

    consultant_id: int | None
    after: str
    most: int
    now: datetime


def leads(session: Session, wanted: Wanted) -> Documents | None:
    """Leads in the order they came in; archived ones too, so that a copy learns of them."""
    ids = select(Lead.id).order_by(Lead.id)
    if wanted.consultant_id is not None:
        # Own leads, then sorted: along all leads of the company it is far to the hundredth own one.
        ids = select(Lead.id).where(Lead.consultant_id == wanted.consultant_id).order_by(Lead.id + 0)
    if wanted.after:
        place = session.scalar(select(Lead.id).where(Lead.public_id == wanted.after))
        if place is None:
            return None
        ids = ids.where(Lead.id > place)
    mine = select(Lead).where(Lead.id.in_(session.scalars(ids.limit(wanted.most)).all()))
    found = session.scalars(mine.order_by(Lead.id)).unique()
    settled = takewhile(lambda lead: lead.created_at <= wanted.now - SETTLED_AFTER, found)
    return told_leads(session, list(settled))


def one_lead(session: Session, public_id: str, consultant_id: int | None) -> dict[str, Any] | None:
    """A lead by its id; None for somebody else's."""
    mine = select(Lead).where(Lead.public_id == public_id)
    if consultant_id is not None:
        mine = mine.where(Lead.consultant_id == consultant_id)
    found = session.scalars(mine).unique().one_or_none()
    return None if found is None else told_leads(session, [found])[0]


def told_leads(session: Session, found: Sequence[Lead]) -> Documents:
    """Leads as programs read them, with what people asked for about being contacted."""
    stops = people.stopped(session, [lead.person for lead in found])
    return [lead_document(lead, stops.get(lead.person_id, frozenset())) for lead in found]


def sales(session: Session, wanted: Wanted) -> Documents | None:
    """Sales and what took some back, in the order they were written."""
    earlier = aliased(Sale)
    mine = (
        select(Sale, Consultant.public_id, earlier.public_id)
        .join(Consultant, Consultant.id == Sale.consultant_id)
        .outerjoin(earlier, earlier.id == Sale.reverses_id)
    )
    if session.get_bind().dialect.name == "postgresql":
        # A sale with a smaller number may still be on its way: nothing behind it is shown before it is.
        mine = mine.where(_ENDED)
    if wanted.consultant_id is not None:
        # Two bounds, not one value: so PostgreSQL keeps to the index of a consultant's sales. Along all sales
        # of the company it is far to the hundredth own one.
        own = Sale.consultant_id.between(wanted.consultant_id, wanted.consultant_id)
        mine = mine.where(own).order_by(Sale.consultant_id)
    if wanted.after:
        place = session.scalar(select(Sale.id).where(Sale.public_id == wanted.after))
        if place is None:
            return None
        mine = mine.where(Sale.id > place)
    rows = session.execute(mine.order_by(Sale.id).limit(wanted.most)).unique().all()
    return [sale_document(sale, consultant=seller, reverses=of) for sale, seller, of in rows]


def earnings(session: Session, wanted: Wanted) -> Documents | None:
    """What closed cycles credited, line by line: in the order of the closes, once none can be undone."""
    names: dict[int, str] = dict(session.execute(_closes(wanted)).all())
    runs, place = list(names), None
    if wanted.after:
        place = _line_called(session, wanted)
        if (
            place is None
            or place.run_id not in names
            or names[place.run_id] != wanted.after.partition(".")[0]
        ):
            return None
        runs = runs[runs.index(place.run_id) :]
    found: list[int] = []
    at_once = 1
    while runs and len(found) < wanted.most:
        some, runs, at_once = runs[:at_once], runs[at_once:], CYCLES_AT_ONCE
        found += session.scalars(_next_lines(wanted, some, place, most=wanted.most - len(found)))
    return _told_lines(session, found)


def _line_called(session: Session, wanted: Wanted) -> CommissionLine | None:
    named = _EARNING.fullmatch(wanted.after)
    own = _own(select(CommissionLine), wanted)
    return session.scalar(own.where(CommissionLine.id == int(named[2]))) if named else None


def _closes(wanted: Wanted) -> Select[int, str]:
    """The runs whose lines count and the names of their cycles, in the order of the closes."""
    over = or_(Cycle.undo_until.is_(None), Cycle.undo_until <= wanted.now)
    closing = and_(Run.id == Cycle.close_run_id, Run.cycle_id == Cycle.id)
    closed = select(Run.id, Cycle.name).join(Run, closing).where(Cycle.state.in_(("closed", "paid")), over)
    return closed.where(Cycle.closed_at.is_not(None)).order_by(Cycle.closed_at, Cycle.id)


def _next_lines(
    wanted: Wanted, runs: Sequence[int], place: CommissionLine | None, *, most: int
) -> Select[int]:
    """The next lines of some runs, of each no more than fit: nobody sorts all of them."""
    whose, parts = CommissionLine.consultant_id, []
    for at, run_id in enumerate(runs):
        lines: Any = select(CommissionLine.id, whose.label("whose"), literal(at).label("at"))
        lines = _own(lines, wanted).where(CommissionLine.run_id == run_id)
        if place is not None and place.run_id == run_id:
            later = CommissionLine.id > place.id
            if wanted.consultant_id is None:
                later = and_(whose >= place.consultant_id, or_(whose > place.consultant_id, later))
            lines = lines.where(later)
        # By the index of a run's consultants, then sorted: not along all lines of the company.
        parts.append(select(lines.order_by(whose, CommissionLine.id + 0).limit(most).subquery()))
    each = union_all(*parts).subquery()
    return select(each.c.id).order_by(each.c.at, each.c.whose, each.c.id).limit(most)


def _own(lines: Select[Any], wanted: Wanted) -> Select[Any]:
    mine = CommissionLine.consultant_id == wanted.consultant_id
    return lines if wanted.consultant_id is None else lines.where(mine)


def _told_lines(session: Session, ids: Sequence[int]) -> Documents:
    lines = (
        select(CommissionLine, Cycle, Consultant.public_id.label("consultant"), Sale.public_id.label("sale"))
        .join(Run, Run.id == CommissionLine.run_id)
        .join(Cycle, Cycle.id == Run.cycle_id)
        .join(Consultant, Consultant.id == CommissionLine.consultant_id)
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .where(CommissionLine.id.in_(ids))
    )
    known = {row.CommissionLine.id: row for row in session.execute(lines).unique()}
    rows = [known[one] for one in ids]
    return [
        {
            "id": f"{row.Cycle.name}.{row.CommissionLine.id}",
            "cycle": row.Cycle.name,
            "consultant": row.consultant,
            "kind": row.CommissionLine.kind,
            "amount": decimal(row.CommissionLine.amount_cents),
            "currency": str(row.Cycle.plan_version.document.get("currency", "USD")),
            "sale": row.sale,
            "level": row.CommissionLine.level,
            "closed_at": instant(row.Cycle.closed_at),
        }
        for row in rows
    ]


def place_of(session: Session, wanted: Wanted) -> int | None:
    """The number of the consultant that a page of people begins behind; 0 at the beginning."""
    if not wanted.after:
        return 0
    return session.scalar(select(Consultant.id).where(Consultant.public_id == wanted.after))


def consultants(
    session: Session, wanted: Wanted, place: int, *, among: Sequence[int] | None
) -> list[Row[Any]]:
    """People in the order they joined, with their pack: those `among`, else everybody behind a place."""
    mine: Any = select(Consultant, Pack.name.label("pack")).join(Pack, Pack.code == Consultant.pack)
    mine = mine.where(Consultant.id > place if among is None else Consultant.id.in_(among))
    found = session.execute(mine.order_by(Consultant.id).limit(wanted.most)).unique()
    return list(takewhile(lambda row: row.Consultant.joined_at <= wanted.now - SETTLED_AFTER, found))
