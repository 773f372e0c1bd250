"""What a vendor and the company owe each other for a month, sale by sale, as the books have it.

It follows from sales and from the terms they were sold by, which never change: a month that is over stays.
A customer pays the vendor, who owes us the revenue less the vendor's share of it. What a customer paid to us
instead is already here: for that we owe the vendor its share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session

from portal.kernel.money import round_half_away
from portal.models import Contract, Order, Sale, Service, TermsVersion

WHOLE = 10_000


@dataclass(frozen=True)
class InvoiceLine:
    """One sale or reversal: revenue, the vendor's share of it and what the vendor owes, in cents.

    `service` is its name of today, `service_code` never changes. `owed_cents` is below 0 where we owe the
    vendor; `paid_here` says that the customer paid us.
    """

    sale_id: int
    service: str
    service_code: str
    contract_ref: str
    milestone: str
    occurred_at: datetime
    recorded_at: datetime
    revenue_cents: int
    vendor_cents: int
    owed_cents: int
    reversal: bool
    paid_here: bool


@dataclass(frozen=True)
class ServiceSum:
    """The lines of one service together, in cents."""

    service: str
    lines: int
    reversals: int
    revenue_cents: int
    vendor_cents: int
    owed_cents: int


@dataclass(frozen=True)
class Invoice:
    """A month: its lines in the order they were booked, and their sums."""

    month: date
    lines: list[InvoiceLine]
    services: list[ServiceSum]

    @property
    def revenue_cents(self) -> int:
        return sum(each.revenue_cents for each in self.services)

    @property
    def vendor_cents(self) -> int:
        return sum(each.vendor_cents for each in self.services)

    @property
    def owed_cents(self) -> int:
        return sum(each.owed_cents for each in self.services)


def invoice_of(session: Session, vendor_id: int, *, month: date, zone: ZoneInfo) -> Invoice:
    """What was booked in a month of the company's time zone; `month` is its first day."""
    lines = list(_lines(session, vendor_id, month, zone))
    codes = sorted({(line.service, line.service_code) for line in lines})
    services = [_sum(name, [line for line in lines if line.service_code == code]) for name, code in codes]
    return Invoice(month, lines, services)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def _lines(session: Session, vendor_id: int, month: date, zone: ZoneInfo) -> Iterator[InvoiceLine]:
    begins = datetime.combine(month, time(0), zone)
    ends = datetime.combine(next_month(month), time(0), zone)
    booked = Contract.vendor_id == vendor_id, Sale.recorded_at >= begins, Sale.recorded_at < ends
    so_far = _so_far(select(Sale.contract_id).join(Contract, Contract.id == Sale.contract_id).where(*booked))
    rows = session.execute(
        select(
            Sale.id,
            Sale.milestone,
            Sale.occurred_at,
            Sale.recorded_at,
            Sale.revenue_cents,
            Sale.reverses_id,
            Contract.ref,
            Service.name,
            Service.code,
            TermsVersion.shares,
            Order.id.label("order_id"),
            so_far.c.cents.label("so_far"),
        )
        .join(so_far, so_far.c.id == Sale.id)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .join(TermsVersion, TermsVersion.id == Sale.terms_version_id)
        .outerjoin(Order, Order.contract_id == Contract.id)
        .where(*booked)
        .order_by(Sale.id)
    )
    for row in rows:
        part = (row.shares or {}).get("vendor", 0)
        before, after = int(row.so_far) - row.revenue_cents, int(row.so_far)
        vendor_cents = round_half_away(after * part, WHOLE) - round_half_away(before * part, WHOLE)
        paid_here = row.order_id is not None
        yield InvoiceLine(
            sale_id=row.id,
            service=row.name,
            service_code=row.code,
            contract_ref=row.ref,
            milestone=row.milestone,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            revenue_cents=row.revenue_cents,
            vendor_cents=vendor_cents,
            owed_cents=-vendor_cents if paid_here else row.revenue_cents - vendor_cents,
            reversal=row.reverses_id is not None,
            paid_here=paid_here,
        )


def _so_far(contract_ids: Select[int]) -> Subquery:
    """By sale of these contracts, the revenue that its milestone has made with it by the same terms, cents.

    The vendor's share is rounded of that, so that parts of a milestone come to the share of the whole.
    """
    of_one = Sale.contract_id, Sale.milestone, Sale.terms_version_id
    grown = func.sum(Sale.revenue_cents).over(partition_by=of_one, order_by=Sale.id)
    return select(Sale.id, grown.label("cents")).where(Sale.contract_id.in_(contract_ids)).subquery()


def _sum(service: str, lines: list[InvoiceLine]) -> ServiceSum:
    return ServiceSum(
        service,
        len(lines),
        sum(line.reversal for line in lines),
        sum(line.revenue_cents for line in lines),
        sum(line.vendor_cents for line in lines),
        sum(line.owed_cents for line in lines),
    )
