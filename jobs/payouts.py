"""Money whose hold is over."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import current_app

from portal.payouts import releases
from portal.store import UnitOfWork, perform

MOST_AT_ONCE = 1_000


def release_due() -> int:
    """Release everything that is due, a thousand credits in a transaction; how many."""
    released = 0
    while count := perform(_release_some):
        released += count
    return released


def _release_some(uow: UnitOfWork) -> int:
    zone = ZoneInfo(current_app.config["SETTINGS"].time_zone)
    return releases.release_due(uow, today=uow.clock().astimezone(zone).date(), limit=MOST_AT_ONCE)
