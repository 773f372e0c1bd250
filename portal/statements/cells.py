"""What may stand in a cell of a statement: each reader takes the text and gives a value.

They raise `BadInput` with what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from portal.kernel.errors import BadInput
from portal.kernel.money import parse_money
from portal.statements.lines import TYPES

Reader: TypeAlias = Callable[[str], Any]

_SIZE: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?")
_SHARE: Final = re.compile(r"(?:0(?:\.([0-9]{1,4}))?|1(?:\.0{1,4})?)")
_PERIOD: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_STATE: Final = re.compile(r"[A-Z]{2}")


def kind(text: str) -> str:
    """One of the types, with or without `service.` in front."""
    found = text.strip().lower()
    found = found if found.startswith("service.") else f"service.{found}"
    if found not in TYPES:
        raise BadInput(f"must be one of {', '.join(TYPES)}")
    return found


def reference(text: str) -> str:
    """A reference of the vendor's own."""
    return _at_most(100, text)


def code(longest: int) -> Reader:
    """A code of letters, digits, dots, dashes and underscores."""

    def read(text: str) -> str:
        return _matching(_CODE, _at_most(longest, text), "a code is letters, digits, dots and dashes")

    return read


def size(text: str) -> int:
    """A size above 0, in thousandths."""
    found = _SIZE.fullmatch(text.strip())
    number = int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")) if found else 0
    if not number:
        raise BadInput("a size is a number above 0 with at most 3 places, such as 8.4")
    return number


def revenue(text: str) -> int:
    """An amount, in cents."""
    return int(parse_money(text))


def share(text: str) -> int:
    """The refunded part of the price, from 0 to 1, in ten-thousandths."""
    found = _SHARE.fullmatch(text.strip())
    if found is None:
        raise BadInput("a share is from 0 to 1, such as 0.25")
    return 10_000 if text.strip().startswith("1") else int((found[1] or "").ljust(4, "0"))


def period(text: str) -> str:
    """A month."""
    return _matching(_PERIOD, text.strip(), "a month is written as 2026-11")


def state(text: str) -> str:
    """A state in two letters."""
    return _matching(_STATE, text.strip().upper(), "a state has two letters, such as CA")


def moment(zone: ZoneInfo) -> Reader:
    """An instant; without an offset it is in the company's time zone, and a day alone is its noon."""

    def read(text: str) -> datetime:
        found = text.strip()
        try:
            if len(found) == len("2026-11-22"):
                return datetime.combine(date.fromisoformat(found), time(12), zone).astimezone(UTC)
            instant = datetime.fromisoformat(found)
        except ValueError:
            raise BadInput("write a day as 2026-11-22, an instant as 2026-11-22T08:30:00Z") from None
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)

    return read


def _at_most(longest: int, text: str) -> str:
    found = text.strip()
    if not 0 < len(found) <= longest or not found.isprintable():
        raise BadInput(f"1 to {longest} characters on one line are needed")
    return found


def _matching(pattern: re.Pattern[str], text: str, hint: str) -> str:
    if pattern.fullmatch(text) is None:
        raise BadInput(hint)
    return text
