"""Pay weeks: Monday 00:00 to Monday 00:00 in the company's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Week:
    """A pay week `[starts_at, until)` in UTC, named after its ISO week, such as `2026-W47`."""

    name: str
    starts_at: datetime
    until: datetime


def week_of(instant: datetime, zone: ZoneInfo) -> Week:
    """The week in which an instant lies."""
    local = instant.astimezone(zone).date()
    return _week(local - timedelta(days=local.weekday()), zone)


def week_after(week_until: datetime, zone: ZoneInfo) -> Week:
    """The week that begins where another ended."""
    return _week(week_until.astimezone(zone).date(), zone)


def _week(monday: date, zone: ZoneInfo) -> Week:
    year, number, _ = monday.isocalendar()
    return Week(f"{year}-W{number:02d}", _midnight(monday, zone), _midnight(monday + timedelta(days=7), zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)
