"""Takes the fields of a vendor's event out of a JSON document, and names what is wrong by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from portal.gateways import vendor_fields as fields
from portal.gateways.vendor_fields import Field

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_OPENED = ("customer", "contract", "refund")
_RENEWED_AHEAD = timedelta(days=366)
_OUT_OF_TIME = "before the year 2000 or more than a day in the future"


@dataclass(frozen=True)
class _Kind:
    """How JSON text of one kind is read; `absent` is its value where it is not given."""

    shape: re.Pattern[str]
    read: Callable[[str], Any]
    absent: object
    wanted: str


def _thousandths(text: str) -> int:
    return _above_zero(text, places=3)


def _share(text: str) -> int:
    return _above_zero(text, places=4)


def _above_zero(text: str, *, places: int) -> int:
    whole, _, part = text.partition(".")
    number = int(whole) * 10**places + int(part.ljust(places, "0"))
    if number == 0:
        raise ValueError("nothing has the size 0")
    return number


def _kind(name: str, read: Callable[[str], Any], absent: object, wanted: str) -> _Kind:
    return _Kind(re.compile(fields.PATTERNS[name], re.ASCII), read, absent, wanted)


_KINDS = {
    fields.INSTANT: _kind(
        fields.INSTANT,
        datetime.fromisoformat,
        OLDEST,
        "an instant with its offset, as 2026-11-21T14:03:00Z",
    ),
    fields.DAY: _kind(fields.DAY, date.fromisoformat, None, "a date, as 2026-11-21"),
    fields.MONTH: _kind(fields.MONTH, str, "", "a month, as 2026-11"),
    fields.SIZE: _kind(
        fields.SIZE, _thousandths, 0, 'a number above 0 in quotes, at most 3 places, as "8.40"'
    ),
    fields.SHARE: _kind(
        fields.SHARE, _share, 0, 'a number above 0 up to 1 in quotes, at most 4 places, as "0.25"'
    ),
}
_SHAPES = {each.path: re.compile(each.pattern) for each in fields.FIELDS if each.pattern}


class Reader:
    """Takes fields out of a document by dotted path, keeps what is wrong, knows what was not taken.

    `latest` bounds how far in the future things may lie. `faults` are words for the vendor.
    """

    def __init__(self, document: dict[str, Any], *, latest: datetime) -> None:
        self.faults: list[str] = []
        self._latest = latest
        self._unread = dict(_flat(document))

    def one_of(self, path: str, choices: Collection[str]) -> str:
        """A required text that is one of `choices`; empty where it is not."""
        value = self._text(path, 50, required=True)
        if value and value not in choices:
            self.faults.append(f"{path}: must be {', '.join(choices)}")
        return value if value in choices else ""

    def agrees(self, path: str, choices: tuple[str, ...], kind: str) -> None:
        """What repeats the type in other words must not contradict it."""
        value = self._text(path, 50, required=False)
        if value and kind and value not in choices:
            self.faults.append(f"{path}: does not go with {kind}")

    def take(self, field: Field, *, required: bool) -> Any:
        """The value of a field; what stands for nothing where it is not given or wrong."""
        if field.kind == fields.TEXT:
            shape = _SHAPES.get(field.path)
            return self._text(field.path, field.longest, required=required, shape=shape)
        if field.kind == fields.YEARS:
            return self._years(field.path)
        if field.kind == fields.FLAG:
            return self._flag(field.path)
        kind = _KINDS[field.kind]
        if required and self._unread.get(field.path) is None:
            self.faults.append(f"{field.path}: missing")
        value = self._read(field.path, kind)
        return value if value is kind.absent else self._in_time(field.path, value, kind)

    def refuse_unread(self) -> None:
        """Whatever nobody asked for is a fault."""
        self.faults.extend(f"{path}: unknown field" for path in self._unread)

    def _text(self, path: str, longest: int, *, required: bool, shape: re.Pattern[str] | None = None) -> str:
        value = self._unread.pop(path, None)
        if value is None and not required:
            return ""
        fault = _text_fault(value, longest, shape)
        if fault:
            self.faults.append(f"{path}: {fault}")
            return ""
        return str(value)

    def _years(self, path: str) -> int | None:
        years = self._unread.pop(path, None)
        if years is None:
            return None
        # To JSON 71.0 is a whole number, and true is none.
        whole = type(years) is int or (type(years) is float and years.is_integer())
        if whole and 0 <= years <= fields.OLDEST_BUYER:
            return int(years)
        self.faults.append(f"{path}: must be a whole number from 0 to {fields.OLDEST_BUYER}")
        return None

    def _flag(self, path: str) -> bool | None:
        flag = self._unread.pop(path, None)
        if flag is None or isinstance(flag, bool):
            return flag
        self.faults.append(f"{path}: must be true or false")
        return None

    def _read(self, path: str, kind: _Kind) -> Any:
        value = self._unread.pop(path, None)
        if value is None:
            return kind.absent
        try:
            if isinstance(value, str) and kind.shape.fullmatch(value):
                return kind.read(value)
        except ValueError:
            pass
        self.faults.append(f"{path}: must be {kind.wanted}")
        return kind.absent

    def _in_time(self, path: str, value: Any, kind: _Kind) -> Any:
        """An instant, a day or a month that can be; an instant in UTC."""
        if isinstance(value, datetime):
            inside = OLDEST <= value <= self._latest
            value = value.astimezone(UTC) if inside else OLDEST
        elif isinstance(value, date):
            inside = OLDEST.date() <= value <= self._latest.date()
        elif isinstance(value, str):
            last = (self._latest + _RENEWED_AHEAD).strftime("%Y-%m")
            if not "2000-01" <= value <= last:
                self.faults.append(f"{path}: before the year 2000 or more than a year in the future")
            return value
        else:
            return value
        if not inside:
            self.faults.append(f"{path}: {_OUT_OF_TIME}")
        return value


def _text_fault(value: Any, longest: int, shape: re.Pattern[str] | None) -> str:
    if value is None:
        return "missing"
    if not isinstance(value, str):
        return "must be text"
    if not value or len(value) > longest:
        return f"must be 1 to {longest} characters"
    if value != value.strip() or not value.isprintable():
        return "holds blanks at an end or characters that cannot be printed"
    if shape and not shape.fullmatch(value):
        return "is not well formed"
    return ""


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields by dotted path: `customer`, `contract` and `refund` are opened, nothing deeper is.

    A name with a dot of its own is none of our paths.
    """
    for name, value in document.items():
        if "." in name:
            yield f"`{name}`", value
        elif name in _OPENED and isinstance(value, dict):
            yield from ((f"{name}.{inner}", content) for inner, content in value.items())
        else:
            yield name, value
