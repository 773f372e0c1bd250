"""Lists that a program reads to their end: in an order in which what comes later stands behind.

Every list takes whose rows are meant: a consultant, or nobody for the whole company. `after` is the id of the
last row of the page before; `None` is the answer where there is no such row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, text
from sqlalchemy.orm import Session, aliased

from portal.integrations.documents import decimal, instant, lead_document, sale_document
from portal.models import CommissionLine, Consultant, Cycle, Lead, Pack, Run, Sale
from portal.store import people

# What two people write at the same moment must not come in the wrong order.
SETTLED_AFTER: Final = timedelta(seconds=5)
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
    mine = select(Lead).where(Lead.created_at <= wanted.now - SETTLED_AFTER)
    if wanted.consultant_id is not None:
        mine = mine.where(Lead.consultant_id == wanted.consultant_id)
    if wanted.after:
        place = session.scalar(select(Lead.id).where(Lead.public_id == wanted.after))
        if place is None:
            return None
        mine = mine.where(Lead.id > place)
    found = session.scalars(mine.order_by(Lead.id).limit(wanted.most)).unique().all()
    return told_leads(session, found)


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
        mine = mine.where(Sale.consultant_id == wanted.consultant_id)
    if wanted.after:
        place = session.scalar(select(Sale.id).where(Sale.public_id == wanted.after))
        if place is None:
            return None
        mine = mine.where(Sale.id > place)
    rows = session.execute(mine.order_by(Sale.id).limit(wanted.most)).unique().all()
    return [sale_document(sale, consultant=seller, reverses=of) for sale, seller, of in rows]


def earnings(session: Session, wanted: Wanted) -> Documents | None:
    """What closed cycles credited, line by line: in the order of the closes, once none can be undone."""
    if not wanted.after:
        return _told_lines(session, wanted, _lines(wanted))
    named = _EARNING.fullmatch(wanted.after)
    if named is None:
        return None
    place = session.execute(_lines(wanted).where(CommissionLine.id == int(named[2]))).first()
    if place is None or place.Cycle.name != named[1]:
        return None
    return _told_lines(session, wanted, _lines(wanted).where(_behind(place)))


def _lines(wanted: Wanted) -> Select[Any]:
    over = or_(Cycle.undo_until.is_(None), Cycle.undo_until <= wanted.now)
    lines: Any = (
        select(CommissionLine, Cycle, Consultant.public_id.label("consultant"), Sale.public_id.label("sale"))
        .join(Run, Run.id == CommissionLine.run_id)
        .join(Cycle, and_(Cycle.id == Run.cycle_id, Cycle.close_run_id == Run.id))
        .join(Consultant, Consultant.id == CommissionLine.consultant_id)
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .where(Cycle.state.in_(("closed", "paid")), Cycle.closed_at.is_not(None), over)
    )
    if wanted.consultant_id is not None:
        lines = lines.where(CommissionLine.consultant_id == wanted.consultant_id)
    return lines


def _behind(place: Row[Any]) -> ColumnElement[bool]:
    cycle = place.Cycle
    same = and_(Cycle.id == cycle.id, CommissionLine.id > place.CommissionLine.id)
    later = and_(Cycle.closed_at == cycle.closed_at, Cycle.id > cycle.id)
    return or_(Cycle.closed_at > cycle.closed_at, later, same)


def _told_lines(session: Session, wanted: Wanted, lines: Select[Any]) -> Documents:
    ordered = lines.order_by(Cycle.closed_at, Cycle.id, CommissionLine.id)
    rows = session.execute(ordered.limit(wanted.most)).unique().all()
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


def consultants(session: Session, wanted: Wanted, *, among: Select[Any] | None) -> list[Row[Any]] | None:
    """People in the order they joined, with their pack and, where `among` says so, leg and level."""
    mine: Any = select(Consultant, Pack.name.label("pack")).join(Pack, Pack.code == Consultant.pack)
    if among is not None:
        seen = among.subquery()
        mine = mine.add_columns(seen.c.leg, seen.c.level).join(seen, seen.c.id == Consultant.id)
    mine = mine.where(Consultant.joined_at <= wanted.now - SETTLED_AFTER)
    if wanted.after:
        place = session.scalar(select(Consultant.id).where(Consultant.public_id == wanted.after))
        if place is None:
            return None
        mine = mine.where(Consultant.id > place)
    return list(session.execute(mine.order_by(Consultant.id).limit(wanted.most)).unique().all())
