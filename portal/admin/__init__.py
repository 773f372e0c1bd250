"""The company's own pages: payouts and what else those who keep it need."""

from portal.admin import cycles, given_up, overview, payouts
from portal.admin.room import admin

__all__ = ["admin", "cycles", "given_up", "overview", "payouts"]
