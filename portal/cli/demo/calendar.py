"""The weeks of the demo, dated back from this Monday: some closed, one ended, one open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.commissions.weeks import Week, week_after, week_of


@dataclass(frozen=True)
class Calendar:
    """All weeks of the demo in order, the open one last."""

    now: datetime
    zone: ZoneInfo
    weeks: tuple[Week, ...]

    @property
    def start(self) -> datetime:
        return self.weeks[0].starts_at

    @property
    def closed(self) -> int:
        """How many of the weeks are closed, from the first on."""
        return len(self.weeks) - 2

    def worked_out_at(self, index: int) -> datetime:
        """When the admins sit down to close a week: a good day after its end."""
        return self.weeks[index].until + timedelta(hours=32)


def draw_calendar(*, now: datetime, zone: ZoneInfo, closed: int) -> Calendar:
    """`closed` closed weeks, one ended, and the one in which `now` lies."""
    monday = week_of(now, zone).starts_at.astimezone(zone).date()
    first = datetime.combine(monday - timedelta(weeks=closed + 1), datetime.min.time(), zone)
    weeks = [week_of(first, zone)]
    while len(weeks) < closed + 2:
        weeks.append(week_after(weeks[-1].until, zone))
    return Calendar(now, zone, tuple(weeks))
