"""With which cycle a plan begins whose turn has not come, by the rhythm that is decided or thought of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.rhythms import Wish, cycles_ahead, latest_start
from portal.commissions.weeks import Week
from portal.models import PlanVersion


@dataclass(frozen=True)
class Coming:
    """A version that was agreed to and the cycle with which it begins.

    Where a later one begins with that same cycle, it is `instead` and this one never holds.
    """

    version: PlanVersion
    cycle: Week
    instead: PlanVersion | None = None

    @property
    def is_moved(self) -> bool:
        """Whether no cycle begins any more at the start for which it was agreed to."""
        return self.version.valid_from != self.cycle.starts_at


def coming_versions(session: Session, zone: ZoneInfo, *, wish: Wish | None = None) -> list[Coming]:
    """The versions that no cycle has begun with, in their order; with a wish, as if it were decided."""
    begun = latest_start(session)
    later = select(PlanVersion).order_by(PlanVersion.valid_from, PlanVersion.id)
    waiting = list(session.scalars(later.where(PlanVersion.valid_from > begun))) if begun else []
    found: list[Coming] = []
    ahead = cycles_ahead(session, zone, wish=wish)
    cycle = next(ahead, None) if waiting else None
    for version in waiting:
        while cycle is not None and cycle.starts_at < version.valid_from:
            cycle = next(ahead, None)
        if cycle is None:
            break
        found = [replace(one, instead=version) if one.cycle == cycle else one for one in found]
        found.append(Coming(version, cycle))
    return found
