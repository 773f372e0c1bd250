"""What a payment provider told when we asked, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FoundEvent:
    """An event that we asked for; `body` is what a webhook would have carried.

    `object_ref` is what it speaks of, `account` the connected account it came for, `live` whether the money
    was real.
    """

    id: str
    type: str
    created: datetime
    body: bytes
    object_ref: str
    account: str
    live: bool


@dataclass(frozen=True)
class MoneyMove:
    """A line of the provider's books: cents that came (above 0) or went, the fee kept or given back."""

    ref: str
    amount_cents: int
    fee_cents: int
    currency: str
