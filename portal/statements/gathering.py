"""What a comparison looks at: the lines of a statement and the facts of its day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from portal.models import (
    Consultant,
    Contract,
    ContractFact,
    Customer,
    Inbox,
    Service,
    Statement,
    StatementDifference,
    StatementLine,
    TermsVersion,
)
from portal.statements.comparing import MANY_TIMES, SIZED, Key, Ours, key_of
from portal.statements.lines import Line
from portal.store.contract_facts import is_withdrawn
from portal.store.inbox import vendor_source
from portal.store.pieces import pieces
from portal.store.statement_days import bounds

# What our terms make of a milestone of a size, cents; None where they pay nothing at it.
RevenueOf: TypeAlias = Callable[[TermsVersion, str, int], int | None]


def lines_of(session: Session, statement_id: int) -> list[Line]:
    """The lines of a statement, in their order."""
    rows = select(StatementLine).where(StatementLine.statement_id == statement_id)
    names = [field.name for field in fields(Line)]
    return [
        Line(**{name: getattr(row, name) for name in names})
        for row in session.scalars(rows.order_by(StatementLine.line))
    ]


def facts_of_day(
    session: Session, statement: Statement, *, zone: ZoneInfo, revenue_of: RevenueOf
) -> list[Ours]:
    """What events said of the vendor's contracts on the statement's day, oldest first."""
    begins, ends = bounds(statement.day, zone)
    of_day = ContractFact.occurred_at >= begins, ContractFact.occurred_at < ends
    rows = session.execute(_facts(statement.vendor_id).where(*of_day)).all()
    sizes = _corrected(session, statement.vendor_id, [row.ContractFact.id for row in rows])
    return [_ours(row, zone=zone, revenue_of=revenue_of, sizes=sizes) for row in rows]


def facts_of_other_days(
    session: Session, statement: Statement, lines: Sequence[Line], *, zone: ZoneInfo, revenue_of: RevenueOf
) -> dict[Key, Ours]:
    """What happens once to the contracts of these lines and was told for another day."""
    wanted = {key_of(line) for line in lines if line.type not in MANY_TIMES}
    found: dict[Key, Ours] = {}
    for refs in pieces(sorted({ref for ref, _type, _period in wanted})):
        once = Contract.ref.in_(refs), ContractFact.type.not_in(MANY_TIMES)
        rows = session.execute(_facts(statement.vendor_id).where(*once)).all()
        sizes = _corrected(session, statement.vendor_id, [row.ContractFact.id for row in rows])
        for row in rows:
            fact = _ours(row, zone=zone, revenue_of=revenue_of, sizes=sizes)
            if fact.key in wanted and fact.day != statement.day:
                found[fact.key] = fact
    return found


def _facts(vendor_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ContractFact,
            Contract.ref,
            Contract.size_thousandths,
            Customer.ref.label("customer"),
            Consultant.code.label("consultant"),
            Service.code.label("service"),
            TermsVersion,
            Inbox.found_by,
        )
        .join(Contract, Contract.id == ContractFact.contract_id)
        .join(Customer, Customer.id == Contract.customer_id)
        .join(Consultant, Consultant.id == Customer.consultant_id)
        .join(Service, Service.id == Contract.service_id)
        .join(TermsVersion, TermsVersion.id == Contract.terms_version_id)
        .outerjoin(Inbox, Inbox.id == ContractFact.inbox_id)
        # What we know of an order that was paid here is no word of its vendor.
        .where(Contract.vendor_id == vendor_id, ContractFact.type.startswith("service."), ~is_withdrawn())
        .order_by(ContractFact.occurred_at, ContractFact.id)
    )


def _ours(row: Row[Any], *, zone: ZoneInfo, revenue_of: RevenueOf, sizes: dict[int, int]) -> Ours:
    fact: ContractFact = row.ContractFact
    size = sizes.get(fact.id, fact.size_thousandths) if fact.type in SIZED else None
    milestone = fact.milestone
    if milestone:
        size = size or row.size_thousandths
    worth = revenue_of(row.TermsVersion, milestone, size or 0) or 0 if milestone else None
    return Ours(
        fact_id=fact.id,
        type=fact.type,
        contract_ref=row.ref,
        day=fact.occurred_at.astimezone(zone).date(),
        at=fact.occurred_at,
        customer_ref=row.customer,
        consultant_code=row.consultant,
        service_code=row.service,
        period=fact.period or "",
        size_thousandths=size or None,
        revenue_cents=worth,
        share=fact.share,
        settled=row.found_by == "statement",
    )


def _corrected(session: Session, vendor_id: int, fact_ids: list[int]) -> dict[int, int]:
    """The sizes of facts that a settled difference has put right, by fact; the newest counts."""
    sizes: dict[int, int] = {}
    for ids in pieces(fact_ids):
        rows = session.execute(
            select(StatementDifference.fact_id, ContractFact.size_thousandths)
            .join(Inbox, Inbox.event_id == StatementDifference.event_id)
            .join(ContractFact, ContractFact.inbox_id == Inbox.id)
            .where(StatementDifference.fact_id.in_(ids), Inbox.source == vendor_source(vendor_id))
            .order_by(StatementDifference.settled_at, StatementDifference.id)
        )
        sizes.update({fact_id: size for fact_id, size in rows if fact_id is not None and size})
    return sizes
