"""What stands in an address: numbers and days that are read only as far as the database knows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from flask_babel import get_timezone
from werkzeug.routing import IntegerConverter

DIGITS = 18
OLDEST_YEAR = 1900


class RowConverter(IntegerConverter):
    """`<int:…>` in a route; a number that no row can have is an address where nothing is."""

    regex = f"[0-9]{{1,{DIGITS}}}"


def number(arguments: Mapping[str, str], name: str) -> int | None:
    """A whole number of an address, such as the row a page begins after; None for anything else."""
    written = arguments.get(name, "")
    fits = written.isascii() and written.isdecimal() and len(written) <= DIGITS
    return int(written) if fits else None


def beginning_of(day: date | None) -> datetime | None:
    """Midnight in the company's time zone; None for a day before anything can have happened."""
    if day is None or day.year < OLDEST_YEAR:
        return None
    return datetime.combine(day, time(), tzinfo=get_timezone()).astimezone(UTC)


def end_of(day: date | None) -> datetime | None:
    """Midnight after a day; None for no day and for the last one there is."""
    if day is None or day == date.max:
        return None
    return beginning_of(day + timedelta(days=1))
