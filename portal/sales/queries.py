"""Reads of sales for pages: bounded, and without loading what is not shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.models import Consultant, Contract, Inbox, Person, Sale, Service, Vendor

# Of some consultants, given by id, those who stand below one.
Below: TypeAlias = Callable[[int, Sequence[int]], set[int]]

LOOKED_AT = 300


@dataclass(frozen=True)
class SaleLine:
    """A sale as a list shows it: volume in hundredths, revenue in cents, both negative for a reversal.

    `own` says that the viewer made it; `seller` is the short name of who did.
    """

    sale_id: int
    seller: str
    own: bool
    vendor: str
    service: str
    icon: str
    volume: int
    revenue_cents: int
    recorded_at: datetime
    reversal: bool


@dataclass(frozen=True)
class Reconciliation:
    """What one vendor sent and what became of it: inbox rows by state, and what was recorded."""

    public_id: str
    vendor: str
    disabled: bool
    events: dict[str, int]
    sales: int
    reversals: int
    volume: int
    revenue_cents: int


def newest_sales(session: Session, consultant_id: int, *, below: Below, limit: int = 8) -> list[SaleLine]:
    """The sales of a consultant and of the people below that were booked last, the last one first.

    `below` says who of some sellers stands below the consultant. Own sales are always found; those below
    among the newest 300 of the company, so that the cost does not grow with the network.
    """
    latest = select(Sale.recorded_at, Sale.id, Sale.consultant_id).order_by(Sale.id.desc()).limit(LOOKED_AT)
    newest = session.execute(latest).all()
    theirs = below(consultant_id, sorted({row.consultant_id for row in newest}))
    own = session.execute(latest.where(Sale.consultant_id == consultant_id)).all()
    shown = [row for row in newest if row.consultant_id in theirs]
    among = {(row.recorded_at, row.id) for row in (*shown, *own)}
    wanted = [sale_id for _booked, sale_id in sorted(among, reverse=True)[:limit]]
    lines = _lines().where(Sale.id.in_(wanted))
    rows = session.execute(lines.order_by(Sale.recorded_at.desc(), Sale.id.desc()))
    return [_line(row, consultant_id) for row in rows]


def reconciliation(session: Session) -> list[Reconciliation]:
    """Counts for each vendor: what arrived against what was recorded."""
    return [
        _reconciliation(session, vendor) for vendor in session.scalars(select(Vendor).order_by(Vendor.name))
    ]


def _lines() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Sale.id,
            Sale.consultant_id,
            Sale.volume,
            Sale.revenue_cents,
            Sale.recorded_at,
            Sale.reverses_id,
            Person.name.label("seller"),
            Vendor.name.label("vendor"),
            Service.name.label("service"),
            Service.icon,
        )
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .join(Vendor, Vendor.id == Contract.vendor_id)
        .join(Consultant, Consultant.id == Sale.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
    )


def _line(row: Row[Any], viewer: int) -> SaleLine:
    return SaleLine(
        sale_id=row.id,
        seller=Person(name=row.seller).short_name,
        own=row.consultant_id == viewer,
        vendor=row.vendor,
        service=row.service,
        icon=row.icon,
        volume=row.volume,
        revenue_cents=row.revenue_cents,
        recorded_at=row.recorded_at,
        reversal=row.reverses_id is not None,
    )


def _reconciliation(session: Session, vendor: Vendor) -> Reconciliation:
    counted = (
        select(Inbox.state, func.count().label("number"))
        .where(Inbox.vendor_id == vendor.id)
        .group_by(Inbox.state)
    )
    events = {row.state: row.number for row in session.execute(counted)}
    recorded = (
        select(
            func.count(Sale.id).label("all"),
            func.count(Sale.reverses_id).label("reversals"),
            func.coalesce(func.sum(Sale.volume), 0).label("volume"),
            func.coalesce(func.sum(Sale.revenue_cents), 0).label("revenue"),
        )
        .join(Contract, Contract.id == Sale.contract_id)
        .where(Contract.vendor_id == vendor.id)
    )
    row = session.execute(recorded).one()
    return Reconciliation(
        public_id=vendor.public_id,
        vendor=vendor.name,
        disabled=vendor.disabled_at is not None,
        events=events,
        sales=row.all - row.reversals,
        reversals=row.reversals,
        volume=int(row.volume),
        revenue_cents=int(row.revenue),
    )
