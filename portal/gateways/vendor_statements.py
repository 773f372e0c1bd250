"""A vendor's statement of a day in one body: `{"day": …, "lines": [{…}, …]}`, named as in its events."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

from portal.gateways.vendor_batches import document_of, form_fault, parts_of
from portal.gateways.vendor_events import BadEvent
from portal.gateways.vendor_fields import DAY_PATTERN, FIELDS, TYPES, Field
from portal.gateways.vendor_reader import Reader
from portal.kernel.clock import utc_now

MOST_LINES: Final = 10_000
MOST_STATEMENT_BYTES: Final = 4 * 1024 * 1024
MOST_FAULTS: Final = 100
LINE_TYPES: Final = tuple(name for name in TYPES if name.startswith("service."))
REQUIRED: Final = ("occurred_at", "contract.ref")
NEEDED_BY: Final = {"service.renewed": ("contract.period",), "service.refunded": ("refund.share",)}
OPTIONAL: Final = (
    *("consultant_code", "customer.ref", "customer.state", "contract.service"),
    *("contract.size", "contract.signed_on", "contract.period", "refund.share"),
)
MONEY_PATTERN: Final = r"[0-9]{1,9}\.[0-9]{2}"
REVENUE: Final = Field("revenue", "revenue_cents", "What you owe us for it, in dollars.", "1880.00")

_ATTRIBUTES: Final = {"customer_state": "sold_in", "refund_share": "share"}
_TAKEN: Final = tuple(field for field in FIELDS if field.path in (*REQUIRED, *OPTIONAL))
_DAY: Final = re.compile(DAY_PATTERN, re.ASCII)
_MONEY: Final = re.compile(MONEY_PATTERN, re.ASCII)
_AHEAD: Final = timedelta(days=1)


def read_statement(body: bytes, *, now: datetime | None = None) -> tuple[date, list[dict[str, Any]]]:
    """The day, and of each line what it says by the names of a `StatementLine`, None where it does not say.

    Raises `BadEvent` with the first hundred faults; `lines.3.contract.ref` is a field of the fourth line.
    """
    document = document_of(body)
    latest = (now or utc_now()) + _AHEAD
    faults = [f"{name}: unknown field" for name in document if name not in ("day", "lines")]
    lines = []
    for place, part in enumerate(parts_of(document, "lines", most=MOST_LINES)):
        values, wrong = _line(part, latest)
        lines.append(values)
        faults += [f"lines.{place}.{fault}" for fault in wrong]
    day = _day(document.get("day"))
    if day is None:
        faults.insert(0, "day: must be a date, as 2026-11-21")
    if faults or day is None:
        raise BadEvent(faults[:MOST_FAULTS])
    return day, lines


def _line(part: Any, latest: datetime) -> tuple[dict[str, Any], list[str]]:
    if fault := form_fault(part):
        return {}, [f"line: {fault}"]
    revenue = part.pop("revenue", None)
    reader = Reader(part, latest=latest)
    kind = reader.one_of("type", LINE_TYPES)
    required = (*REQUIRED, *NEEDED_BY.get(kind, ()))
    values = {
        _ATTRIBUTES.get(field.attribute, field.attribute): reader.take(field, required=field.path in required)
        or None
        for field in _TAKEN
    }
    reader.refuse_unread()
    if revenue is not None and not (isinstance(revenue, str) and _MONEY.fullmatch(revenue)):
        reader.faults.append('revenue: must be dollars and cents in quotes, as "1880.00"')
        revenue = None
    cents = None if revenue is None else int(revenue.replace(".", ""))
    return {"type": kind, "revenue_cents": cents, **values}, reader.faults


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None
