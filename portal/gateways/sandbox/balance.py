"""The platform's money at the test Stripe: each movement of it is written down with the fee that was kept."""

from __future__ import annotations

from dataclasses import dataclass

from portal.gateways.sandbox.store import Books, Document, new_id
from portal.kernel.money import round_half_away

# What the platform has to pay out at the beginning, in cents.
FUNDS_CENTS = 100_000_000_00
# 2.9 % and 30 cents of a card's payment, and what a dispute costs until it is won.
CHARGE_RATE = 290
CHARGE_FLAT_CENTS = 30
DISPUTE_FEE_CENTS = 15_00


@dataclass(frozen=True)
class Move:
    """Cents that come (above 0) or go, and the fee that is kept (above 0) or given back."""

    kind: str
    cents: int
    fee_cents: int = 0


def charge_fee(cents: int) -> int:
    """What Stripe keeps of a payment, in cents."""
    return round_half_away(cents * CHARGE_RATE, 10_000) + CHARGE_FLAT_CENTS


def moved(books: Books, source: Document, move: Move, *, now: int) -> Document:
    """Write a movement down that a thing caused; the funds follow."""
    made = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": move.cents,
        "available_on": now,
        "created": now,
        "currency": source["currency"],
        "fee": move.fee_cents,
        "net": move.cents - move.fee_cents,
        "source": source["id"],
        "status": "available",
        "type": move.kind,
    }
    books.save("balance_transaction", made)
    set_funds(books, platform_funds(books) + made["net"])
    return made


def take_charge(books: Books, charge: Document, *, now: int) -> None:
    """A charge succeeded: its money, less the fee, is the platform's."""
    cents = charge["amount"]
    made = moved(books, charge, Move("charge", cents, charge_fee(cents)), now=now)
    charge["balance_transaction"] = made["id"]


def platform_funds(books: Books) -> int:
    """What the platform can transfer, in cents."""
    found = books.find("funds", "platform")
    return int(found["cents"]) if found else FUNDS_CENTS


def set_funds(books: Books, cents: int) -> None:
    """Let the platform have this much, in cents."""
    books.save("funds", {"id": "platform", "cents": cents})
