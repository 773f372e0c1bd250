"""The company's own pages: payouts and what else those who keep it need."""

from portal.admin import (
    adjustments,
    behind,
    books,
    cooling_off,
    cycles,
    entries,
    given_up,
    overview,
    payments,
    payout_batches,
    payout_methods,
    payout_selections,
    payout_tax_forms,
    payout_tax_years,
    payouts,
    sending,
)
from portal.admin.room import admin

__all__ = [
    "adjustments",
    "admin",
    "behind",
    "books",
    "cooling_off",
    "cycles",
    "entries",
    "given_up",
    "overview",
    "payments",
    "payout_batches",
    "payout_methods",
    "payout_selections",
    "payout_tax_forms",
    "payout_tax_years",
    "payouts",
    "sending",
]
