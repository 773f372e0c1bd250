"""The events that settling a difference makes: written as the vendor would have sent them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

# An event that puts another one right happens just after it, so that it has the last word about its moment.
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True)
class Event:
    """What to tell the inbox; fields as in `VendorEvent`, None where nothing is said."""

    type: str
    occurred_at: datetime
    customer_ref: str
    contract_ref: str
    consultant_code: str | None = None
    service_code: str | None = None
    size_thousandths: int | None = None
    signed_on: date | None = None
    sold_in: str | None = None
    period: str | None = None
    share: int | None = None
    reason: str | None = None

    def body(self) -> bytes:
        """The JSON of the event."""
        contract = {
            "ref": self.contract_ref,
            "service": self.service_code,
            "size": _decimal(self.size_thousandths, 3),
            "signed_on": self.signed_on.isoformat() if self.signed_on else None,
            "period": self.period,
        }
        document = {
            "type": self.type,
            "occurred_at": self.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "consultant_code": self.consultant_code,
            "customer": _said({"ref": self.customer_ref, "state": self.sold_in}),
            "contract": _said(contract),
            "refund": _said({"share": _decimal(self.share, 4)}) or None,
            "reason": self.reason,
        }
        return json.dumps(_said(document), separators=(",", ":")).encode()


def _said(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _decimal(number: int | None, places: int) -> str | None:
    """A whole number of parts as a decimal text: 8,400 thousandths are `8.400`."""
    if number is None:
        return None
    whole, rest = divmod(number, 10**places)
    return f"{whole}.{rest:0{places}d}"
