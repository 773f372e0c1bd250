"""People who waited for a place longer than their sponsor has to give them one."""

from __future__ import annotations

from functools import partial

from portal.commissions.projection import leg_volumes
from portal.members.placement import place_waiting as place_some
from portal.store import perform


def place_waiting() -> int:
    """Place everybody whose time is over; returns how many."""
    placed = 0
    while some := len(perform(partial(place_some, volumes=leg_volumes))):
        placed += some
    return placed
