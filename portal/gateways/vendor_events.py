"""From the bytes a vendor sent to one `VendorEvent`: a strict schema, all faults named by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent

Value = TypeVar("Value")
Shape = re.Pattern[str]

MOST_BYTES = 16_384
ACCEPTED_TYPES = (
    "customer.registered",
    "service.signed",
    "service.installed",
    "service.activated",
    "service.cancelled",
)

_DEEPEST = 4
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MILESTONES = {"service.signed": "signed", "service.installed": "installed", "service.activated": "activated"}
_STATES = {
    "service.signed": ("signed",),
    "service.installed": ("installed",),
    "service.activated": ("active", "activated"),
    "service.cancelled": ("cancelled",),
}
_SIZE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_DAY.pattern + r"T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY_WANTED = "a date, as 2026-11-21"
_INSTANT_WANTED = "an instant with its offset, as 2026-11-21T14:03:00Z"
_SIZE_WANTED = 'a number above 0 in quotes, at most 3 places, as "8.40"'
_CODE = re.compile(r"[A-Za-z0-9_.-]+")
_STATE = re.compile(r"[A-Z]{2}")
_OLDEST_BUYER = 120
_SENIOR = 65
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_FAR_FUTURE = timedelta(days=1)


class BadEvent(Exception):
    """The body is not an event we take; `faults` names every field that is wrong, in words for the vendor."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(body: bytes, *, now: datetime | None = None) -> VendorEvent:
    """Read the body of a vendor event.

    `now` (aware; the house clock if not given) bounds how far in the future things may lie: one day.
    Raises `BadEvent` with all faults.
    """
    document = _document(body)
    reader = _Reader(document, latest=(now or utc_now()) + _FAR_FUTURE)
    event = _event(reader)
    reader.refuse_unread()
    if reader.faults:
        raise BadEvent(reader.faults)
    return event


def _event(reader: _Reader) -> VendorEvent:
    kind = reader.one_of("type", ACCEPTED_TYPES)
    about_contract = kind.startswith("service.")
    opens = about_contract and kind != "service.cancelled"
    code_needed = kind == "customer.registered"
    milestone = _MILESTONES.get(kind, "")
    reader.agrees("contract.state", _STATES.get(kind, ()), kind)
    reader.agrees("milestone", (milestone,) if milestone else (), kind)
    return VendorEvent(
        type=kind,
        occurred_at=reader.instant("occurred_at"),
        consultant_code=reader.text("consultant_code", 16, required=code_needed, shape=_CODE),
        customer_ref=reader.text("customer.ref", 100),
        customer_name=reader.text("customer.name", 200, required=False),
        customer_email=reader.text("customer.email", 254, required=False, shape=_EMAIL),
        contract_ref=reader.text("contract.ref", 100, required=about_contract),
        service_code=reader.text("contract.service", 64, required=opens, shape=_CODE),
        size_thousandths=reader.thousandths("contract.size"),
        signed_on=reader.day("contract.signed_on"),
        milestone=milestone,
        customer_state=reader.text("customer.state", 2, required=False, shape=_STATE)
        if about_contract
        else "",
        customer_age=reader.age() if about_contract else None,
    )


class _Reader:
    """Takes fields out of a document by dotted path, keeps what is wrong, knows what was not taken."""

    def __init__(self, document: dict[str, Any], *, latest: datetime) -> None:
        self.faults: list[str] = []
        self._latest = latest
        self._unread = dict(_flat(document))

    def one_of(self, path: str, choices: tuple[str, ...]) -> str:
        value = self.text(path, 50)
        if value and value not in choices:
            self.faults.append(f"{path}: must be {', '.join(choices)}")
        return value if value in choices else ""

    def agrees(self, path: str, choices: tuple[str, ...], kind: str) -> None:
        """What repeats the type in other words must not contradict it."""
        value = self.text(path, 50, required=False)
        if value and kind and value not in choices:
            self.faults.append(f"{path}: does not go with {kind}")

    def text(self, path: str, longest: int, *, required: bool = True, shape: Shape | None = None) -> str:
        value = self._unread.pop(path, None)
        if value is None and not required:
            return ""
        fault = _text_fault(value, longest, shape)
        if fault:
            self.faults.append(f"{path}: {fault}")
            return ""
        return str(value)

    def age(self) -> int | None:
        """The buyer's age in years, or only that they are 65 or over."""
        years = self._unread.pop("customer.age", None)
        senior = self._unread.pop("customer.age_65_or_over", None)
        if years is not None and (type(years) is not int or not 0 <= years <= _OLDEST_BUYER):
            self.faults.append(f"customer.age: must be a whole number from 0 to {_OLDEST_BUYER}")
            return None
        if senior is not None and not isinstance(senior, bool):
            self.faults.append("customer.age_65_or_over: must be true or false")
            return None
        if years is not None and senior is not None and (years >= _SENIOR) != senior:
            self.faults.append("customer.age_65_or_over: contradicts customer.age")
        return years if years is not None else (_SENIOR if senior else None)

    def instant(self, path: str) -> datetime:
        if self._unread.get(path) is None:
            self.faults.append(f"{path}: missing")
        value = self._read(path, _INSTANT, datetime.fromisoformat, _INSTANT_WANTED)
        if value is None:
            return _OLDEST
        if not _OLDEST <= value <= self._latest:
            self.faults.append(f"{path}: before the year 2000 or more than a day in the future")
            return _OLDEST
        return value.astimezone(UTC)

    def day(self, path: str) -> date | None:
        value = self._read(path, _DAY, date.fromisoformat, _DAY_WANTED)
        if value is not None and not _OLDEST.date() <= value <= self._latest.date():
            self.faults.append(f"{path}: before the year 2000 or more than a day in the future")
        return value

    def thousandths(self, path: str) -> int:
        return self._read(path, _SIZE, _thousandths, _SIZE_WANTED) or 0

    def refuse_unread(self) -> None:
        self.faults.extend(f"{path}: unknown field" for path in self._unread)

    def _read(self, path: str, shape: Shape, read: Callable[[str], Value], wanted: str) -> Value | None:
        value = self._unread.pop(path, None)
        if value is None:
            return None
        try:
            if isinstance(value, str) and shape.fullmatch(value):
                return read(value)
        except ValueError:
            pass
        self.faults.append(f"{path}: must be {wanted}")
        return None


def _text_fault(value: Any, longest: int, shape: Shape | None) -> str:
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


def _thousandths(text: str) -> int:
    whole, _, part = text.partition(".")
    thousandths = int(whole) * 1000 + int(part.ljust(3, "0"))
    if thousandths == 0:
        raise ValueError("nothing has the size 0")
    return thousandths


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields by dotted path: `customer` and `contract` are opened, anything deeper stays what it is."""
    for name, value in document.items():
        if name in ("customer", "contract") and isinstance(value, dict):
            yield from ((f"{name}.{inner}", content) for inner, content in value.items())
        else:
            yield name, value


def _document(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise BadEvent([f"body: more than {MOST_BYTES} bytes"])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEvent(["body: not UTF-8"]) from error
    if _depth(text) > _DEEPEST:
        raise BadEvent([f"body: nested deeper than {_DEEPEST}"])
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except ValueError as error:
        raise BadEvent([f"body: not JSON we take ({_short(error)})"]) from error
    if not isinstance(document, dict):
        raise BadEvent(["body: must be a JSON object"])
    return document


def _depth(text: str) -> int:
    """How deep the brackets of a JSON text nest; counted before the parser sees it."""
    depth = deepest = 0
    for letter in _QUOTED.sub("", text):
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return names


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _short(error: ValueError) -> str:
    return str(error).splitlines()[0][:100]
