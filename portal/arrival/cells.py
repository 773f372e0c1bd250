"""What may stand in a cell: each reader takes the text and gives a value.

They raise `BadInput` with what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.kernel.errors import BadInput
from portal.kernel.money import parse_money, parse_volume

Reader = Callable[[str], Any]

_CODE: Final = re.compile(r"[A-Z0-9._-]{1,16}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_CYCLE: Final = re.compile(r"[A-Za-z0-9-]{1,16}")
_WORD: Final = re.compile(r"[a-z0-9_-]{1,64}")
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
_LONGEST_NAME, _LONGEST_EMAIL = 200, 254


def code(text: str) -> str:
    """A consultant's code, in capital letters as it is kept."""
    return _matching(_CODE, text.strip().upper(), "a code has 1 to 16 letters, digits, dots or dashes")


def pack_code(text: str) -> str:
    """The code of a registration plan."""
    return _matching(_WORD, text.strip(), "a pack's code has 1 to 64 small letters, digits or dashes")


def cycle_name(text: str) -> str:
    """The name of a cycle."""
    return _matching(_CYCLE, text.strip(), "a cycle's name has 1 to 16 letters, digits or dashes")


def country(text: str) -> str:
    """A country in two letters."""
    return _matching(_COUNTRY, text.strip().upper(), "a country has two letters, such as US")


def email(text: str) -> str:
    """An e-mail address, in small letters as it is kept."""
    found = text.strip().lower()
    if len(found) > _LONGEST_EMAIL:
        raise BadInput(f"an e-mail address has at most {_LONGEST_EMAIL} letters")
    return _matching(_EMAIL, found, "this is not an e-mail address")


def words(text: str) -> str:
    """A name or a sentence on one line."""
    found = text.strip()
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise BadInput(f"1 to {_LONGEST_NAME} letters on one line are needed")
    return found


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def read(text: str) -> str:
        found = text.strip()
        if found not in choices:
            raise BadInput(f"must be {' or '.join(choices)}")
        return found

    return read


def moment(zone: ZoneInfo) -> Reader:
    """An instant with its offset, or a day, which begins at midnight in the company's time zone."""

    def read(text: str) -> datetime:
        found = text.strip()
        try:
            if len(found) == len("2026-11-22"):
                return datetime.combine(date.fromisoformat(found), time(0), zone).astimezone(UTC)
            instant = datetime.fromisoformat(found)
        except ValueError:
            raise BadInput("a day is written as 2026-11-22, an instant as 2026-11-22T08:30:00Z") from None
        if instant.tzinfo is None:
            raise BadInput("an instant needs its offset, such as 2026-11-22T08:30:00Z")
        return instant.astimezone(UTC)

    return read


def money(text: str) -> int:
    """Cents, of either sign."""
    return int(parse_money(text))


def owed_money(text: str) -> int:
    """Cents, above 0."""
    found = money(text)
    if found <= 0:
        raise BadInput("a balance is above 0; leave out who has none, and write a debt as a debt")
    return found


def money_from_zero(text: str) -> int:
    """Cents, not below 0."""
    return _from_zero(money(text))


def volume(text: str) -> int:
    """Hundredths of a point, of either sign."""
    return int(parse_volume(text))


def volume_from_zero(text: str) -> int:
    """Hundredths of a point, not below 0."""
    return _from_zero(volume(text))


def count(text: str) -> int:
    """A whole number, not below 0."""
    return int(_matching(_WHOLE, text.strip(), "a whole number is needed"))


def any_of(known: Sequence[str]) -> Reader:
    """One of many words; the fault names the word alone."""
    allowed = frozenset(known)

    def read(text: str) -> str:
        found = text.strip()
        if found not in allowed:
            raise BadInput(f"“{found[:40]}” is not known; there are {', '.join(sorted(allowed))}")
        return found

    return read


def _matching(pattern: re.Pattern[str], text: str, hint: str) -> str:
    if pattern.fullmatch(text) is None:
        raise BadInput(hint)
    return text


def _from_zero(number: int) -> int:
    if number < 0:
        raise BadInput("this cannot be below 0")
    return number
