"""The chart of accounts: every account there can be, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "USD"


@dataclass(frozen=True, order=True)
class AccountKey:
    """What names an account: whose it is and what for. `owner_id` 0 is the company."""

    owner_type: str
    owner_id: int
    purpose: str


@dataclass(frozen=True)
class Purpose:
    """How accounts of a purpose behave: the side they grow on, and whether they carry a guarded balance."""

    normal: str
    tracked: bool
    floor: int | None


CONSULTANT_PURPOSES = {
    "pending": Purpose("C", True, 0),
    "available": Purpose("C", True, 0),
    "reserved": Purpose("C", True, 0),
    "receivable": Purpose("D", True, 0),
}
COMPANY_PURPOSES = {
    "stripe_balance": Purpose("D", False, None),
    "bank": Purpose("D", False, None),
    "revenue": Purpose("C", False, None),
    "commission_expense": Purpose("D", False, None),
    "order_revenue": Purpose("C", False, None),
    "payout_fees": Purpose("C", False, None),
    "tax_withheld": Purpose("C", False, None),
    "provider_fees": Purpose("D", False, None),
    "adjustments": Purpose("D", False, None),
    "refunds": Purpose("D", False, None),
    "dispute_losses": Purpose("D", False, None),
    "write_off": Purpose("D", False, None),
    "opening_balance": Purpose("D", False, None),
}


def pending(consultant_id: int) -> AccountKey:
    """Earned, but held until the cooling-off and the hold are over."""
    return AccountKey("consultant", consultant_id, "pending")


def available(consultant_id: int) -> AccountKey:
    """May be withdrawn."""
    return AccountKey("consultant", consultant_id, "available")


def reserved(consultant_id: int) -> AccountKey:
    """Set aside for a withdrawal on its way."""
    return AccountKey("consultant", consultant_id, "reserved")


def receivable(consultant_id: int) -> AccountKey:
    """Clawed back beyond what was there; later earnings pay it."""
    return AccountKey("consultant", consultant_id, "receivable")


STRIPE_BALANCE = AccountKey("company", 0, "stripe_balance")
BANK = AccountKey("company", 0, "bank")
REVENUE = AccountKey("company", 0, "revenue")
COMMISSION_EXPENSE = AccountKey("company", 0, "commission_expense")
ORDER_REVENUE = AccountKey("company", 0, "order_revenue")
PAYOUT_FEES = AccountKey("company", 0, "payout_fees")
TAX_WITHHELD = AccountKey("company", 0, "tax_withheld")
PROVIDER_FEES = AccountKey("company", 0, "provider_fees")
ADJUSTMENTS = AccountKey("company", 0, "adjustments")
REFUNDS = AccountKey("company", 0, "refunds")
DISPUTE_LOSSES = AccountKey("company", 0, "dispute_losses")
WRITE_OFF = AccountKey("company", 0, "write_off")
OPENING_BALANCE = AccountKey("company", 0, "opening_balance")


def behaviour(key: AccountKey) -> Purpose:
    """How the account behaves.

    Raises `KeyError` for an account that the chart does not know.
    """
    purposes = CONSULTANT_PURPOSES if key.owner_type == "consultant" else COMPANY_PURPOSES
    return purposes[key.purpose]
