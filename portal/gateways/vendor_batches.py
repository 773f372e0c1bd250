"""Many things in one body: a batch of events and a statement, each part read for itself.

What is wrong with one part is that part's fault; only a body that is no JSON, or not of this form, is refused
as a whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from portal.gateways.vendor_events import MOST_BYTES, BadEvent, read
from portal.gateways.vendor_signatures import MESSAGE_ID
from portal.kernel.vendor_events import VendorEvent

MOST_EVENTS: Final = 1_000
MOST_BATCH_BYTES: Final = 2 * 1024 * 1024
_LONGEST_NUMBER: Final = 18
_SEPARATORS: Final = (",", ":")


@dataclass(frozen=True)
class Item:
    """One event of a batch: its id, what it says and the bytes to keep of it, or what is wrong with it."""

    id: str | None
    event: VendorEvent | None = None
    body: bytes = b""
    faults: tuple[str, ...] = ()


class Unreadable(dict[str, Any]):
    """An object in which a name occurs twice: nobody can say what it means."""


def read_batch(body: bytes, *, now: datetime | None = None) -> list[Item]:
    """The events of `{"events": [{"id": …, …event}, …]}` in their order.

    Raises `BadEvent` where the body as a whole is not of this form.
    """
    document = document_of(body)
    if unknown := [f"{name}: unknown field" for name in document if name != "events"]:
        raise BadEvent(unknown)
    return [_item(part, now) for part in parts_of(document, "events", most=MOST_EVENTS)]


def document_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a large body. Raises `BadEvent`."""
    try:
        document: Any = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_nothing, parse_int=_number
        )
    except UnicodeDecodeError as error:
        raise BadEvent(["body: not UTF-8"]) from error
    except (ValueError, RecursionError) as error:
        raise BadEvent([f"body: not JSON we take ({str(error).splitlines()[0][:100]})"]) from error
    if fault := form_fault(document):
        raise BadEvent([f"body: {fault}"])
    return document


def parts_of(document: dict[str, Any], name: str, *, most: int) -> list[Any]:
    """The list under `name`. Raises `BadEvent` where it is none, empty, or longer than `most`."""
    parts = document.get(name)
    if not isinstance(parts, list):
        raise BadEvent([f"{name}: must be a list"])
    if not 1 <= len(parts) <= most:
        raise BadEvent([f"{name}: must be 1 to {most:,} of them"])
    return parts


def form_fault(part: Any) -> str:
    """Why a part is no object whose fields can be read; empty where it is one."""
    if not isinstance(part, dict):
        return "must be a JSON object"
    if any(isinstance(each, Unreadable) for each in (part, *part.values())):
        return "a name occurs twice in one object"
    return ""


def _item(part: Any, now: datetime | None) -> Item:
    if fault := form_fault(part):
        return Item(None, faults=(f"event: {fault}",))
    event_id = part.pop("id", None)
    if not isinstance(event_id, str) or not MESSAGE_ID.fullmatch(event_id):
        return Item(None, faults=("id: must be 1 to 100 letters, digits, - and _",))
    try:
        event = read(part, now=now)
    except BadEvent as bad:
        return Item(event_id, faults=tuple(bad.faults))
    body = json.dumps(part, separators=_SEPARATORS, ensure_ascii=False).encode()
    if len(body) > MOST_BYTES:
        return Item(event_id, faults=(f"event: more than {MOST_BYTES} bytes",))
    return Item(event_id, event, body)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    return names if len(names) == len(pairs) else Unreadable(names)


def _nothing(_name: str) -> Any:
    """`NaN` and `Infinity` are no JSON: a list is what no field takes."""
    return []


def _number(digits: str) -> Any:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else []
