"""Days of vendors' statements: where they disagree with the events, and of which none came.

Below the use cases: statements settle them, a cycle's checks look at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.models import Contract, ContractFact, Inbox, Statement, StatementDifference, Vendor
from portal.store.contract_facts import is_withdrawn

# How far back pages look for days of which no statement came.
LOOKED_BACK = timedelta(days=14)


@dataclass(frozen=True)
class MissingDay:
    """A day on which a vendor's events happened and of which no statement came."""

    vendor: Vendor
    day: date
    events: int


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of the company begins and when the next one does, aware."""
    return datetime.combine(day, time(0), zone), datetime.combine(day + timedelta(days=1), time(0), zone)


def open_by_vendor(
    session: Session, *, since: date | None = None, until: date | None = None
) -> dict[int, int]:
    """How many differences are open of each vendor that has any; days from `since` and before `until`."""
    rows = open_ones(select(Statement.vendor_id, func.count()))
    if since is not None:
        rows = rows.where(Statement.day >= since)
    if until is not None:
        rows = rows.where(Statement.day < until)
    return {row[0]: row[1] for row in session.execute(rows.group_by(Statement.vendor_id))}


def missing_days(
    session: Session, *, zone: ZoneInfo, since: date, until: date, vendor_id: int | None = None
) -> list[MissingDay]:
    """Days from `since` and before `until` on which events happened and of which no statement came.

    Only of vendors that ever sent one: others have not agreed to.
    """
    senders = set(session.scalars(select(Statement.vendor_id).distinct()))
    if vendor_id is not None:
        senders &= {vendor_id}
    if not senders:
        return []
    sent = set(
        session.execute(select(Statement.vendor_id, Statement.day).where(Statement.day >= since)).all()
    )
    vendors = vendors_by_id(session, senders)
    missing: list[MissingDay] = []
    for day in (since + timedelta(days=at) for at in range((until - since).days)):
        silent = {vendor for vendor in senders if (vendor, day) not in sent}
        counted = _happened(session, silent, day, zone=zone) if silent else {}
        missing += [MissingDay(vendors[vendor], day, number) for vendor, number in sorted(counted.items())]
    return missing


def silent_days(
    session: Session, *, zone: ZoneInfo, today: date, vendor_id: int | None = None
) -> list[MissingDay]:
    """The days of the last two weeks, today left out, on which events happened and no statement came."""
    since = today - LOOKED_BACK
    return missing_days(session, zone=zone, since=since, until=today, vendor_id=vendor_id)


def open_ones(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Counted over the open differences of statements that count, with those whose settling was not done."""
    return (
        rows.select_from(StatementDifference)
        .join(Statement, Statement.id == StatementDifference.statement_id)
        .where(is_open(), Statement.replaced_at.is_(None))
    )


def is_open() -> ColumnElement[bool]:
    """Whether a difference of the query waits: nobody settled it, or the event this made was given up."""
    settled, statement = aliased(StatementDifference), aliased(Statement)
    not_done = (
        select(settled.id)
        .join(statement, statement.id == settled.statement_id)
        .join(Inbox, (Inbox.vendor_id == statement.vendor_id) & (Inbox.event_id == settled.event_id))
        .where(Inbox.state == "dead", Inbox.found_by == "statement")
    )
    return or_(StatementDifference.settled_at.is_(None), StatementDifference.id.in_(not_done))


def _happened(session: Session, vendor_ids: set[int], day: date, *, zone: ZoneInfo) -> dict[int, int]:
    """How many events of a day each of these vendors sent, of those that sent any."""
    begins, ends = bounds(day, zone)
    rows = (
        select(Contract.vendor_id, func.count())
        .select_from(ContractFact)
        .join(Contract, Contract.id == ContractFact.contract_id)
        .outerjoin(Inbox, Inbox.id == ContractFact.inbox_id)
        .where(
            ContractFact.occurred_at >= begins,
            ContractFact.occurred_at < ends,
            ContractFact.type.startswith("service."),
            ~is_withdrawn(),
            Contract.vendor_id.in_(vendor_ids),
            func.coalesce(Inbox.found_by, "") != "statement",
        )
        .group_by(Contract.vendor_id)
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def vendors_by_id(session: Session, ids: Iterable[int]) -> dict[int, Vendor]:
    return {vendor.id: vendor for vendor in session.scalars(select(Vendor).where(Vendor.id.in_(list(ids))))}
