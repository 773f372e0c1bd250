"""A vendor's file as the events it stands for: mapped, cleaned, dated, and the same for the same seed.

A row that repeats an earlier one in all columns but its id is the same contract: it is sent again under the
same event ids with the same bodies, as an export made twice would be.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

FIELDS = (
    "consultant_code",
    "customer_ref",
    "customer_name",
    "customer_email",
    "customer_state",
    "customer_age",
    "contract_ref",
    "service",
    "size",
    "signed_on",
)
NAMELESS = "row"
_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FARTHEST_COPY = 50
_FARTHEST_MOVE = 200


class BadFeed(Exception):
    """The file or an option cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Schedule:
    """Row k of n happens at `start + k/n × days`; what happens in `[since, until)` is sent."""

    start: datetime
    days: int = 0
    since: datetime | None = None
    until: datetime | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)

    def moment(self, number: int, total: int) -> datetime:
        whole = timedelta(days=self.days)
        return self.start + timedelta(microseconds=whole // timedelta(microseconds=1) * number // total)

    def covers(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class Feed:
    """How rows become events: which column feeds which field, what is constant, and how dirty the line is.

    A column that is called as a field feeds it unless `columns` or `constants` say otherwise.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    schedule: Schedule
    id_column: str = NAMELESS
    vendor_column: str = ""
    consultants: tuple[str, ...] = ()
    seed: int = 0
    duplicate_share: float = 0
    reorder_share: float = 0
    cancel_share: float = 0
    cancel_days: int = 20
    limit: int = 0


@dataclass(frozen=True)
class Event:
    """One event to be signed and sent: by which vendor, when it happened, under which id, in which bytes."""

    vendor: str
    moment: datetime
    event_id: str
    body: bytes


@dataclass
class Reading:
    """What was found in the file."""

    rows: int = 0
    trimmed: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def read_events(file: Path, feed: Feed) -> tuple[list[Event], Reading]:
    """The events of the file that fall into the schedule, in the order they are sent.

    Raises `BadFeed`.
    """
    reading = Reading()
    rows = _rows(file, feed, reading)
    events: list[Event] = []
    seen: dict[tuple[str, ...], list[Event]] = {}
    for number, row in enumerate(rows):
        content = tuple(value for name, value in row.items() if name != feed.id_column)
        if content in seen:
            reading.repeated += 1
            moment = feed.schedule.moment(number, len(rows))
            events.extend(_again(event, moment) for event in seen[content][:2])
            continue
        seen[content] = _events_of(row, feed, reading, feed.schedule.moment(number, len(rows)))
        events.extend(seen[content])
    due = sorted((event for event in events if feed.schedule.covers(event.moment)), key=lambda e: e.moment)
    return _disturbed(due, feed), reading


def _rows(file: Path, feed: Feed, reading: Reading) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        raw = list(csv.DictReader(lines))
    if not raw:
        raise BadFeed(f"{file} holds no rows.")
    raw = raw[: feed.limit or None]
    rows = [{name or NAMELESS: (value or "").strip() for name, value in row.items()} for row in raw]
    reading.rows = len(rows)
    reading.trimmed = sum(
        any((value or "") != (value or "").strip() for value in row.values()) for row in raw
    )
    used = {*feed.columns.values(), *([feed.vendor_column] if feed.vendor_column else [])}
    missing = sorted(used - rows[0].keys())
    if missing:
        raise BadFeed(f"There is no column {missing[0]} in {file}; it has {', '.join(rows[0])}.")
    return rows


def _events_of(row: dict[str, str], feed: Feed, reading: Reading, moment: datetime) -> list[Event]:
    vendor = row[feed.vendor_column] if feed.vendor_column else ""
    if feed.vendor_column and not is_name(vendor):
        reading.refused[f"installer {vendor or 'without a name'}"] += 1
        return []
    values = _values(row, feed)
    if not values["consultant_code"]:
        reading.refused["no consultant code"] += 1
        return []
    if "size" in values and not _size(values["size"]):
        reading.refused[f"size {values['size']}"] += 1
        return []
    return _life(vendor, values, feed, moment)


def is_name(text: str) -> bool:
    """Whether this can be a company: `ActiveX VT_ERROR:` is what a spreadsheet says."""
    return bool(text) and "_" not in text and ":" not in text


def _values(row: dict[str, str], feed: Feed) -> dict[str, str]:
    named = {name: row[name] for name in FIELDS if row.get(name)}
    mapped = {name: row[column] for name, column in feed.columns.items()}
    values = {**named, **feed.constants, **{name: value for name, value in mapped.items() if value}}
    ref = row.get(feed.id_column) or hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:16]
    values.setdefault("contract_ref", f"K-{ref}")
    values.setdefault("customer_ref", f"C-{values['contract_ref'].removeprefix('K-')}")
    if feed.consultants and "consultant_code" not in values:
        chosen = _draw(feed, "consultant", values["contract_ref"]) % len(feed.consultants)
        values["consultant_code"] = feed.consultants[chosen]
    values.setdefault("consultant_code", "")
    return values


def _life(vendor: str, values: dict[str, str], feed: Feed, moment: datetime) -> list[Event]:
    """Registered, activated, and for some cancelled later."""
    ref = values["contract_ref"]
    stages = [
        ("customer.registered", moment - timedelta(hours=1), moment),
        ("service.activated", moment, moment),
    ]
    if _draw(feed, "cancelled", ref) % 1_000_000 < feed.cancel_share * 1_000_000:
        left = max((feed.schedule.end - moment) // timedelta(seconds=1) - 1, 1)
        later = 1 + _draw(feed, "later", ref) % min(left, feed.cancel_days * 86_400 or 1)
        cancelled = moment + timedelta(seconds=later)
        stages.append(("service.cancelled", cancelled, min(cancelled, feed.schedule.end)))
    return [
        Event(vendor, sent, _event_id(kind, ref), _body(kind, values, happened))
        for kind, happened, sent in stages
    ]


def _event_id(kind: str, ref: str) -> str:
    """The same for the same step of the same contract; letters, digits and dashes only."""
    plain = f"{kind.replace('.', '-')}-{ref}"
    return plain if _EVENT_ID.fullmatch(plain) else hashlib.sha256(plain.encode()).hexdigest()


def _body(kind: str, values: dict[str, str], happened: datetime) -> bytes:
    customer: dict[str, object] = {"ref": values["customer_ref"]}
    for name in ("name", "email"):
        if values.get(f"customer_{name}"):
            customer[name] = values[f"customer_{name}"]
    document: dict[str, object] = {
        "type": kind,
        "occurred_at": happened.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "consultant_code": values["consultant_code"],
        "customer": customer,
    }
    if kind != "customer.registered":
        customer.update(_sold_to(values))
        contract = {"ref": values["contract_ref"], "service": values.get("service", "")}
        if "size" in values:
            contract["size"] = _size(values["size"])
        if values.get("signed_on"):
            contract["signed_on"] = values["signed_on"]
        document["contract"] = contract
    return json.dumps(document, separators=(",", ":")).encode()


def _sold_to(values: dict[str, str]) -> dict[str, object]:
    """Where a contract was sold, and how old its buyer is, where the file says so."""
    age = values.get("customer_age", "")
    state = {"state": values["customer_state"]} if values.get("customer_state") else {}
    return {**state, **({"age": int(age)} if age.isdigit() else {})}


def _size(text: str) -> str:
    """A size with three places; empty for what is no size."""
    try:
        size = Decimal(text).quantize(Decimal("0.001"))
    except InvalidOperation:
        return ""
    return f"{size:f}" if 0 < size < 1_000_000_000 else ""


def _again(event: Event, moment: datetime) -> Event:
    return Event(event.vendor, moment, event.event_id, event.body)


def _draw(feed: Feed, purpose: str, ref: str) -> int:
    """A number that depends on the seed and the row alone, not on what else is in the file."""
    return int.from_bytes(hashlib.sha256(f"{feed.seed}:{purpose}:{ref}".encode()).digest()[:8], "big")


def _disturbed(events: Iterable[Event], feed: Feed) -> list[Event]:
    """The same events with some sent twice and some out of order, as lines and retries do it."""
    chance = random.Random(f"{feed.seed}:{feed.schedule.since}")
    placed: list[tuple[int, Event]] = []
    for place, event in enumerate(events):
        moved = chance.randint(1, _FARTHEST_MOVE) if chance.random() < feed.reorder_share else 0
        placed.append((place + moved, event))
        if chance.random() < feed.duplicate_share:
            placed.append((place + moved + chance.randint(0, _FARTHEST_COPY), event))
    return [event for _, event in sorted(placed, key=lambda pair: pair[0])]
