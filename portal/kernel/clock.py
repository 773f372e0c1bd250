"""The one place that reads the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_offset = timedelta(0)


def utc_now() -> datetime:
    """The present instant, aware, in UTC; moved by `start_at` in development."""
    return datetime.fromtimestamp(time.time(), UTC) + _offset


def stamped(instant: datetime) -> str:
    """An instant inside a text, `2026-11-20T18:05Z`; pages word it in the company's time zone."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def start_at(instant: datetime, *, since: datetime | None = None) -> None:
    """Let the clock of this process show `instant` now and run on from there.

    With `since`, it showed `instant` at that real time: processes started one after the other agree.
    """
    global _offset
    _offset = instant - (since or datetime.fromtimestamp(time.time(), UTC))


def fixed(instant: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: instant
