"""Cycles in the company's calendar: days, weeks from Monday, months; from midnight to midnight there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Week:
    """A cycle `[starts_at, until)` in UTC with its rhythm.

    Named after its day (`2026-11-22`), its ISO week (`2026-W47`) or its month (`2026-11`).
    """

    name: str
    starts_at: datetime
    until: datetime
    rhythm: str = "week"


def week_of(instant: datetime, zone: ZoneInfo) -> Week:
    """The week in which an instant lies."""
    return cycle_of("week", instant, zone)


def week_after(week_until: datetime, zone: ZoneInfo) -> Week:
    """The week that begins where another ended."""
    return cycle_from("week", week_until, zone)


def cycle_of(rhythm: str, instant: datetime, zone: ZoneInfo) -> Week:
    """The whole day, week or month in which an instant lies."""
    first, _, _ = _CALENDARS[rhythm]
    return _cycle(rhythm, first(instant.astimezone(zone).date()), zone)


def cycle_from(rhythm: str, start: datetime, zone: ZoneInfo) -> Week:
    """The cycle that begins at the midnight where another ended.

    It lasts to the end of its day, week or month: the first one after a change of rhythm may be short.
    """
    return _cycle(rhythm, start.astimezone(zone).date(), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in the company's zone."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def _cycle(rhythm: str, day: date, zone: ZoneInfo) -> Week:
    first, following, name = _CALENDARS[rhythm]
    return Week(name(day), midnight(day, zone), midnight(following(first(day)), zone), rhythm)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _iso_week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


_Day = Callable[[date], date]
# For each rhythm: the first day of the cycle of a day, the first day after a cycle, the name.
_CALENDARS: dict[str, tuple[_Day, _Day, Callable[[date], str]]] = {
    "day": (lambda day: day, lambda first: first + timedelta(days=1), date.isoformat),
    "week": (_monday, lambda first: first + timedelta(days=7), _iso_week),
    "month": (lambda day: day.replace(day=1), _next_month, lambda day: f"{day:%Y-%m}"),
}
