"""One line of a vendor's statement, however it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

TYPES = (
    "service.signed",
    "service.changed",
    "service.installed",
    "service.activated",
    "service.renewed",
    "service.suspended",
    "service.cancelled",
    "service.refunded",
)


@dataclass(frozen=True)
class Line:
    """What a vendor says happened with one contract; the same fields as `StatementLine`.

    `line` counts from 1, `type` is one of `TYPES`, `occurred_at` is aware. Sizes in thousandths, money in
    cents, `share` (the refunded part of the price, in total) in ten-thousandths, `period` as `2026-11`; None
    where the vendor does not say.
    """

    line: int
    type: str
    contract_ref: str
    occurred_at: datetime
    customer_ref: str | None = None
    consultant_code: str | None = None
    service_code: str | None = None
    period: str | None = None
    size_thousandths: int | None = None
    revenue_cents: int | None = None
    signed_on: date | None = None
    sold_in: str | None = None
    share: int | None = None
