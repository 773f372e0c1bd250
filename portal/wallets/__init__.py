"""The wallet of a consultant: what was earned, what is free, how it is paid out."""

from portal.wallets import onboarding, payees, routes, statements, tax, why, withdrawing
from portal.wallets.room import wallets

__all__ = ["onboarding", "payees", "routes", "statements", "tax", "wallets", "why", "withdrawing"]
