"""The books in plain words: what accounts, entries and their causes are called."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.ledger.accounts import COMPANY_PURPOSES

ACCOUNTS: dict[str, LazyString] = {
    "pending": _l("On its way"),
    "available": _l("Available"),
    "reserved": _l("Set aside for a withdrawal"),
    "receivable": _l("Owed to the company"),
    "stripe_balance": _l("Money at Stripe"),
    "bank": _l("Money at the bank"),
    "revenue": _l("Fees for packs"),
    "order_revenue": _l("Orders paid here"),
    "commission_expense": _l("Commission"),
    "payout_fees": _l("Fees for payouts"),
    "tax_withheld": _l("Tax withheld, owed to the tax office"),
    "provider_fees": _l("Fees of Stripe"),
    "adjustments": _l("Corrections by hand"),
    "refunds": _l("Refunds"),
    "dispute_losses": _l("Lost to disputes"),
    "write_off": _l("Debts written off"),
    "opening_balance": _l("Brought along from the system before"),
}
_ENTRIES: dict[str, LazyString] = {
    "commission retail": _l("Earned: own sales"),
    "commission direct": _l("Earned: sales of people sponsored"),
    "commission unilevel": _l("Earned: sales of the team"),
    "commission revenue_share": _l("Earned: share of revenue"),
    "commission matrix": _l("Earned: matrix"),
    "commission binary": _l("Earned: weaker-leg match"),
    "commission matching": _l("Earned: share of what people below earned"),
    "commission pool": _l("Earned: share of the pool"),
    "release": _l("Now available"),
    "commission undone": _l("The close was undone: taken out again"),
    "clawback": _l("Taken back after a refund"),
    "clawback undone": _l("The close was undone: given back again"),
    "withdrawal requested": _l("Withdrawal, set aside"),
    "withdrawal paid": _l("Withdrawal paid"),
    "withdrawal cancelled": _l("Withdrawal called off"),
    "withdrawal rejected": _l("Withdrawal not approved"),
    "withdrawal failed": _l("Withdrawal could not be paid"),
    "withdrawal returned": _l("Withdrawal came back"),
    "adjustment correction": _l("Correction by hand"),
    "adjustment write_off": _l("Debt written off"),
    "registration fee": _l("Fee for a pack"),
    "renewal fee": _l("Monthly fee"),
    "order paid": _l("Order paid"),
    "refund": _l("Refund"),
    "refund failed": _l("Refund failed"),
    "dispute": _l("Payment disputed"),
    "dispute won": _l("Dispute won"),
    "opening balance": _l("Brought along from the system before"),
    "payment fee": _l("Fee of Stripe for a payment"),
    "refund fee": _l("Fee of Stripe for a refund"),
    "dispute fee": _l("Fee of Stripe for a dispute"),
    "payment fee returned": _l("Fee of Stripe given back"),
    "refund fee returned": _l("Fee of Stripe for a refund, given back"),
    "dispute fee returned": _l("Fee of Stripe for a dispute, given back"),
}
COLUMNS: dict[str, LazyString] = {
    "available": _l("Available"),
    "pending": _l("On its way"),
    "reserved": _l("Set aside"),
    "debt": _l("Owed"),
}
GROUPS: dict[str, LazyString] = {
    "all": _l("Everything"),
    "earned": _l("Earned"),
    "released": _l("Became available"),
    "withdrawals": _l("Withdrawals"),
    "corrections": _l("Corrections"),
}


def account(purpose: str) -> LazyString | str:
    """What accounts of a purpose are called."""
    return ACCOUNTS.get(purpose, purpose)


def is_company(purpose: str) -> bool:
    """Whether an account of this purpose is the company's."""
    return purpose in COMPANY_PURPOSES


def entry(kind: str) -> LazyString | str:
    """What an entry of a kind is called; one nobody named keeps the word it was booked under."""
    return _ENTRIES.get(kind, kind)
