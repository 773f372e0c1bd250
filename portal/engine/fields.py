"""Reading documents: each field is asked for by its name, and every fault is noted with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from portal.engine.arithmetic import MAX, RATE_UNIT

LARGEST: Final = 10_000_000_000_00  # ten thousand million points, or units of money, in hundredths
LONGEST: Final = 19  # digits of 2**63 - 1
REQUIRED: Final = object()

_DECIMAL: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


def quoted(text: str) -> str:
    """A name as it may stand in one line of plain text, whatever is in it."""
    return json.dumps(text)


def inside(place: str, name: str) -> str:
    """The place of a field within a place."""
    shown = name if _PLAIN_NAME.fullmatch(name) else f"[{quoted(name)}]"
    return f"{place}.{shown}" if place and not shown.startswith("[") else f"{place}{shown}"


def number_in(value: object, places: int, least: int, most: int) -> int | str:
    """Read a decimal string as a number of its smallest units; gives the fault as text if it is none."""
    if not isinstance(value, str):
        return 'must be a string like "12.50"'
    found = _DECIMAL.fullmatch(value)
    if found is None:
        return 'must be written in digits, like "12.50"'
    sign, whole, decimals = found[1], found[2].lstrip("0"), found[3] or ""
    if len(decimals) > places:
        return f"has more than {places} decimals"
    if len(whole) > LONGEST:
        return "is too large"
    number = int((whole or "0") + decimals.ljust(places, "0"))
    return _within(-number if sign else number, least, most)


def whole_number(value: object, least: int) -> int | str:
    """Read a JSON integer; gives the fault as text if it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be a whole number"
    return _within(value, least, MAX)


def _within(number: int, least: int, most: int) -> int | str:
    if number < least:
        return "must not be negative" if least == 0 else "is too small"
    return "is too large" if number > most else number


@dataclass
class Fields:
    """One JSON object that is being read. `sound` turns false with the first fault in it."""

    value: dict[str, Any]
    place: str
    faults: list[str]
    sound: bool = True
    asked: set[str] = field(default_factory=set)

    def fault(self, name: str, text: str, item: str = "") -> None:
        """Note what is wrong with one field, or with an item in it."""
        self.sound = False
        self.faults.append(f"{inside(self.place, name)}{item}: {text}")

    def take(self, name: str, default: object = REQUIRED) -> Any:
        """The field as it stands, its default if it is missing; notes a fault if it is required."""
        self.asked.add(name)
        if name in self.value:
            return self.value[name]
        if default is REQUIRED:
            self.fault(name, "is missing")
        return default

    def _read(self, name: str, default: int | object, read: Callable[[Any], int | str]) -> int:
        value = self.take(name, default)
        if name not in self.value:
            return default if isinstance(default, int) else 0
        number = read(value)
        if isinstance(number, str):
            self.fault(name, number)
            return 0
        return number

    def amount(
        self, name: str, default: int | object = REQUIRED, *, least: int = 0, most: int = LARGEST
    ) -> int:
        """A volume or an amount of money, as hundredths."""
        return self._read(name, default, lambda value: number_in(value, 2, least, most))

    def rate(self, name: str, default: int | object = REQUIRED) -> int:
        """A rate from 0 to 1, as ten-thousandths."""
        return self._read(name, default, lambda value: number_in(value, 4, 0, RATE_UNIT))

    def rates(self, name: str) -> tuple[int, ...]:
        """A list of rates, one for each level."""
        value = self.take(name)
        if name in self.value and not isinstance(value, list):
            self.fault(name, 'must be a list of rates like "0.05"')
        rates = [number_in(rate, 4, 0, RATE_UNIT) for rate in value] if isinstance(value, list) else []
        for position, rate in enumerate(rates):
            if isinstance(rate, str):
                self.fault(name, rate, f"[{position}]")
        return tuple(rate for rate in rates if isinstance(rate, int))

    def count(self, name: str, default: int | object = REQUIRED, *, least: int = 0) -> int:
        """A whole number."""
        return self._read(name, default, lambda value: whole_number(value, least))

    def flag(self, name: str, default: bool) -> bool:
        """Either true or false."""
        value = self.take(name, default)
        if not isinstance(value, bool):
            self.fault(name, "must be true or false")
            return default
        return value

    def text(self, name: str, default: str | object = REQUIRED) -> str:
        """A string."""
        value = self.take(name, default)
        if name in self.value and not isinstance(value, str):
            self.fault(name, "must be a string")
        return value if isinstance(value, str) else ""

    def text_or_nothing(self, name: str) -> str | None:
        """A string; null or missing means nothing."""
        value = self.take(name, None)
        if value is not None and not isinstance(value, str):
            self.fault(name, "must be a string or null")
            return None
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | object = REQUIRED) -> str:
        """One of a few words."""
        value = self.take(name, default)
        if value in choices:
            return str(value)
        if name in self.value:
            self.fault(name, f"must be one of {', '.join(choices)}")
        return choices[0]

    def part(self, name: str, default: object = REQUIRED) -> Fields | None:
        """An object within this one; nothing if it is missing or something else."""
        value = self.take(name, default)
        if name not in self.value:
            return None
        if not isinstance(value, dict):
            self.fault(name, "must be an object")
            return None
        return Fields(value, inside(self.place, name), self.faults)

    def items(self, name: str, default: object = REQUIRED) -> list[Fields]:
        """The objects in a list; each that is something else is a fault."""
        value = self.take(name, default)
        if name not in self.value:
            return []
        if not isinstance(value, list):
            self.fault(name, "must be a list")
            return []
        place = inside(self.place, name)
        read = []
        for position, item in enumerate(value):
            if isinstance(item, dict):
                read.append(Fields(item, f"{place}[{position}]", self.faults))
            else:
                self.sound = False
                self.faults.append(f"{place}[{position}]: must be an object")
        return read

    def close(self) -> None:
        """Note every field that nobody asked for."""
        for name in self.value:
            if name not in self.asked:
                self.fault(name, "this field is unknown")
