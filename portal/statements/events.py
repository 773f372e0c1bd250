"""The events that settling a difference makes: written as the vendor would have sent them.

Only what takes a fact of ours back is a word of our own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from portal.kernel.vendor_events import WITHDRAWN
from portal.statements.comparing import SIZED
from portal.statements.known import Known

# An event that puts another one right happens just after it, so that it has the last word about its moment.
JUST_AFTER = timedelta(microseconds=1)
# What follows from other things (terms, the registration of a customer) cannot be told by an event.
BOOKABLE = frozenset({"size", "share"})
OF_A_MONTH = frozenset({"service.renewed", "service.refunded"})
OPENING = frozenset({"service.signed", "service.installed", "service.activated"})
_SIZED = SIZED - {"service.renewed"}


@dataclass(frozen=True)
class Event:
    """What to tell the inbox; fields as in `VendorEvent`, None where nothing is said.

    `fact` is the key of the fact that is taken back, `by` the account of who decided that.
    """

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
    fact: str | None = None
    by: int | None = None

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
            "fact": self.fact,
            "by": self.by,
        }
        return json.dumps(_said(document), separators=(",", ":")).encode()


def event_of(known: Known) -> Event | None:
    """The event that settles a difference as the statement says; None where no event can."""
    if known.customer_ref is None:
        return None
    make = {"missing": _missing, "different": _different, "extra": _extra}[known.difference.kind]
    return make(known, known.customer_ref)


def _missing(known: Known, customer_ref: str) -> Event | None:
    line = known.line
    if line is None or (line.type in OPENING and not known.service_code):
        return None
    if (line.type == "service.refunded" and not line.share) or (
        line.type == "service.changed" and not line.size_thousandths
    ):
        return None
    # What was taken back in the same words stays so; a moment later it is another word.
    later = JUST_AFTER * known.turn if known.told_again else timedelta(0)
    return Event(
        type=line.type,
        occurred_at=line.occurred_at + later,
        customer_ref=line.customer_ref or customer_ref,
        contract_ref=line.contract_ref,
        consultant_code=line.consultant_code,
        service_code=known.service_code,
        size_thousandths=line.size_thousandths,
        signed_on=line.signed_on,
        sold_in=line.sold_in,
        period=line.period if line.type in OF_A_MONTH else None,
        share=line.share if line.type == "service.refunded" else None,
    )


def _different(known: Known, customer_ref: str) -> Event | None:
    line, fact = known.line, known.fact
    if line is None or fact is None or not known.difference.fields.keys() & BOOKABLE:
        return None
    just_after = fact.occurred_at + JUST_AFTER * known.turn
    event = Event(
        type="service.changed" if fact.type in _SIZED else fact.type,
        occurred_at=just_after,
        customer_ref=customer_ref,
        contract_ref=line.contract_ref,
        size_thousandths=line.size_thousandths,
        period=fact.period,
        share=line.share if fact.type == "service.refunded" else None,
    )
    return event if fact.type in SIZED | {"service.refunded"} else None


def _extra(known: Known, customer_ref: str) -> Event | None:
    """What takes the fact back that the statement does not name."""
    fact, day = known.fact, known.statement.day.isoformat()
    if fact is None:
        return None
    return Event(
        WITHDRAWN,
        fact.occurred_at,
        customer_ref,
        known.difference.contract_ref,
        fact=fact.key,
        reason=f"The statement of {day} does not name it.",
    )


def _said(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _decimal(number: int | None, places: int) -> str | None:
    """A whole number of parts as a decimal text: 8,400 thousandths are `8.400`."""
    if number is None:
        return None
    whole, rest = divmod(number, 10**places)
    return f"{whole}.{rest:0{places}d}"
