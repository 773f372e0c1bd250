"""Was each living address told everything, in order, signed? By what it kept and what the database says."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.gateways.vendor_signatures import verify
from portal.integrations.deliveries import message_id
from portal.models import WebhookDelivery, WebhookEndpoint
from tools.soak.webhooks_receiver import Call, Receiver


def judged(session: Session, receiver: Receiver) -> dict[str, Any]:
    """Counts, the delays of calm addresses in milliseconds, and `faults`: each that is not as it must be."""
    rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).unique().all()
    written: dict[str, list[WebhookDelivery]] = defaultdict(list)
    for row in rows:
        written[row.endpoint.url.rpartition("/")[2]].append(row)
    came: dict[str, list[Call]] = defaultdict(list)
    for call in receiver.calls:
        came[call.address].append(call)
    faults = [
        fault
        for address, mine in written.items()
        for fault in (
            *_not_told(address, mine, came[address]),
            *_out_of_order(address, mine, came[address]),
            *_not_signed(address, came[address], receiver.secrets[address]),
        )
    ]
    off = session.scalars(select(WebhookEndpoint.url).where(WebhookEndpoint.disabled_at.is_not(None)))
    taken = Counter(call.headers["webhook-id"] for call in receiver.calls if call.taken)
    return {
        "messages": len(rows),
        "calls": len(receiver.calls),
        "not taken": sum(not call.taken for call in receiver.calls),
        "taken twice": sum(number - 1 for number in taken.values()),
        "switched off": sorted(url.rpartition("/")[2] for url in off),
        "calm addresses wait, ms": _waits(written, came),
        "faults": faults,
    }


def _not_told(address: str, mine: list[WebhookDelivery], came: list[Call]) -> list[str]:
    """Everything was taken; at a dead address everything still waits or was given up."""
    if address.startswith("dead"):
        return [f"{address} took {row.id}" for row in mine if row.state == "done"]
    taken = {call.headers["webhook-id"] for call in came if call.taken}
    lost = [row for row in mine if message_id(row) not in taken]
    return [f"{address} was not told {row.id}" for row in lost] + [
        f"{row.id} to {address} is {row.state}" for row in mine if row.state != "done"
    ]


def _out_of_order(address: str, mine: list[WebhookDelivery], came: list[Call]) -> list[str]:
    """First tries come in the order in which the messages were written."""
    place = {message_id(row): at for at, row in enumerate(mine)}
    first = list(dict.fromkeys(call.headers["webhook-id"] for call in came))
    places = [place[name] for name in first]
    return [f"{address} heard {b} after {a}" for a, b in pairwise(places) if b < a]


def _not_signed(address: str, came: list[Call], secret: str) -> list[str]:
    faults = []
    for call in came:
        named = call.headers["webhook-id"]
        if verify([secret], call.headers, call.body, datetime.fromtimestamp(call.at, UTC)) != named:
            faults.append(f"{named} to {address} is not signed")
    return faults


def _waits(written: dict[str, list[WebhookDelivery]], came: dict[str, list[Call]]) -> dict[str, int]:
    """From the moment a message was written until it came."""
    waits = []
    for address in (name for name in written if name.startswith("calm")):
        first: dict[str, float] = {}
        for call in came[address]:
            first.setdefault(call.headers["webhook-id"], call.at)
        waits += [
            first[message_id(row)] - row.created_at.timestamp()
            for row in written[address]
            if message_id(row) in first
        ]
    ordered = sorted(round(wait * 1000) for wait in waits) or [0]
    parts = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {name: ordered[min(int(len(ordered) * part), len(ordered) - 1)] for name, part in parts.items()}
