"""The wallet of a consultant: what was earned, what is free, how it is paid out."""

from portal.wallets import held, lost, onboarding, payees, routes, statements, tax, why, withdrawing
from portal.wallets.room import wallets

__all__ = [
    "held",
    "lost",
    "onboarding",
    "payees",
    "routes",
    "statements",
    "tax",
    "wallets",
    "why",
    "withdrawing",
]
