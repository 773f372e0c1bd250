"""Money whose hold is over, and weeks that are paid."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app

from jobs.work import poke
from portal.payouts import cycle_settling, releases
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


def settle_cycles() -> int:
    """Call closed weeks paid whose withdrawals are all settled, whoever settled them; how many."""
    return perform(cycle_settling.settle_cycles)


def ask_for_match(_uow: UnitOfWork, _body: dict[str, Any]) -> None:
    """Somebody wants the match with the providers now: it is made outside this transaction."""
    poke("payout-match")
