"""From the bytes a vendor sent to one `VendorEvent`: a strict schema, all faults named by field.

The schema itself stands in `vendor_fields`.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from portal.gateways.vendor_fields import FIELDS, SENIOR, TYPES, EventType
from portal.gateways.vendor_reader import Reader
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent

MOST_BYTES = 16_384
ACCEPTED_TYPES = tuple(TYPES)

_DEEPEST = 4
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FAR_FUTURE = timedelta(days=1)
# Of an event whose type we do not know, every field may be there.
_UNKNOWN = EventType("", "", ("occurred_at", "customer.ref"), tuple(field.path for field in FIELDS))


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
    return read(_document(body), now=now)


def read(document: dict[str, Any], *, now: datetime | None = None) -> VendorEvent:
    """Read an event that is a JSON object already, such as one of a batch. Raises `BadEvent`."""
    reader = Reader(document, latest=(now or utc_now()) + _FAR_FUTURE)
    event = _event(reader)
    reader.refuse_unread()
    if reader.faults:
        raise BadEvent(reader.faults)
    return event


def _event(reader: Reader) -> VendorEvent:
    kind = reader.one_of("type", ACCEPTED_TYPES)
    about = TYPES.get(kind, _UNKNOWN)
    reader.agrees("contract.state", about.states, kind)
    reader.agrees("milestone", (about.milestone,) if about.milestone else (), kind)
    taken: dict[str, Any] = {}
    senior: bool | None = None
    for field in FIELDS:
        required = field.path in about.required
        if not required and field.path not in about.optional:
            continue
        value = reader.take(field, required=required)
        if field.path == "customer.age_65_or_over":
            senior = value
        else:
            taken[field.attribute] = value
    taken["customer_age"] = _age(reader, taken.get("customer_age"), senior)
    milestone = about.milestone
    if milestone and taken.get("period"):
        milestone = f"{milestone}-{taken['period']}"
    return VendorEvent(type=kind, milestone=milestone, **taken)


def _age(reader: Reader, years: int | None, senior: bool | None) -> int | None:
    """The buyer's age in years, or only that they are 65 or over."""
    if years is not None and senior is not None and (years >= SENIOR) != senior:
        reader.faults.append("customer.age_65_or_over: contradicts customer.age")
    return years if years is not None else (SENIOR if senior else None)


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
