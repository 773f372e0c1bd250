"""What a vendor tells us, in our own words: the same whatever the vendor's system looks like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

# What the company says where it takes back one thing that was said of a contract. No vendor can send it.
WITHDRAWN = "fact.withdrawn"


@dataclass(frozen=True)
class VendorEvent:
    """One thing that happened to a vendor's customer or contract.

    `occurred_at` is aware UTC. `size_thousandths` is the size of the contract in the unit of its service
    (kW, lines, …) times 1,000, 0 when not given. `milestone` is the step of the contract this event is worth
    (`signed`, `installed`, `activated`, `renewed-2026-11`), empty for other types. `customer_state` is where
    the contract was sold, two letters; `customer_age` the buyer's age, 65 where the vendor only says 65 or
    over. `period` is the month that was renewed; `refund_share` the part of the price that was refunded so
    far, in all, in ten-thousandths, with a `period` that of this month alone. Text not given is empty, a date
    or an age None.
    """

    type: str
    occurred_at: datetime
    customer_ref: str
    consultant_code: str = ""
    customer_name: str = ""
    customer_email: str = ""
    contract_ref: str = ""
    service_code: str = ""
    size_thousandths: int = 0
    signed_on: date | None = None
    milestone: str = ""
    customer_state: str = ""
    customer_age: int | None = None
    customer_phone: str = ""
    customer_address: str = ""
    period: str = ""
    refund_share: int = 0
    reason: str = ""


def withdrawal_key(fact_key: str) -> str:
    """The key of what takes back the fact with this key: one fact is taken back once."""
    return f"withdrawn-{fact_key}"
