"""The wallet of a consultant: what was earned, what is free, how it is paid out."""

from portal.wallets.routes import wallets

__all__ = ["wallets"]
