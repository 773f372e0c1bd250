"""Was each living address told everything, in order, signed? By what it kept and what the database says."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.gateways.errors import Refused
from portal.gateways.vendor_signatures import verify
from portal.integrations.deliveries import body_bytes, message_id
from portal.models import WebhookDelivery, WebhookEndpoint
from tools.soak.webhooks_receiver import Call, Receiver


def judged(
    session: Session, receiver: Receiver, *, most_twice: int, parts: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    """Counts, the delays of calm addresses in milliseconds, and `faults`: each that is not as it must be.

    A killed worker may not know that a message was taken: `most_twice` may come again. `parts` names messages
    to each calm address, from one place in their order until before another.
    """
    # Those of one moment stand in the order of their ids.
    in_order = select(WebhookDelivery).order_by(WebhookDelivery.created_at, WebhookDelivery.id)
    written: dict[str, list[WebhookDelivery]] = defaultdict(list)
    for row in session.scalars(in_order).unique():
        written[row.endpoint.url.rpartition("/")[2]].append(row)
    came: dict[str, list[Call]] = defaultdict(list)
    for call in receiver.calls:
        came[call.address].append(call)
    faults = [
        fault
        for address, mine in written.items()
        for fault in (
            *_not_told(address, mine, came[address]),
            *_not_meant(address, mine, came[address]),
            *_out_of_order(address, mine, came[address]),
            *_not_signed(address, came[address], receiver.secrets[address]),
        )
    ]
    faults += [f"{address} heard {most} at once" for address, most in receiver.together.items() if most > 1]
    taken = Counter(call.headers["webhook-id"] for call in receiver.calls if call.taken)
    twice = sum(number - 1 for number in taken.values())
    if twice > most_twice:
        faults.append(f"{twice} came again after they were taken")
    off = session.scalars(select(WebhookEndpoint.url).where(WebhookEndpoint.disabled_at.is_not(None)))
    return {
        "messages": sum(map(len, written.values())),
        "calls": len(receiver.calls),
        "not taken": sum(not call.taken for call in receiver.calls),
        "taken twice": twice,
        "switched off": sorted(url.rpartition("/")[2] for url in off),
        "calm addresses wait, ms": {name: _waits(written, came, part) for name, part in parts.items()},
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


def _not_meant(address: str, mine: list[WebhookDelivery], came: list[Call]) -> list[str]:
    """Every call brings a message to this address, with the body that was written."""
    bodies = {message_id(row): body_bytes(row) for row in mine}
    return [
        f"{address} heard what is not for it: {call.headers['webhook-id']}"
        for call in came
        if bodies.get(call.headers["webhook-id"]) != call.body
    ]


def _out_of_order(address: str, mine: list[WebhookDelivery], came: list[Call]) -> list[str]:
    """First tries come in the order in which the messages were written."""
    place = {message_id(row): at for at, row in enumerate(mine)}
    first = list(dict.fromkeys(call.headers["webhook-id"] for call in came))
    places = [place[name] for name in first if name in place]
    return [f"{address} heard {b} after {a}" for a, b in pairwise(places) if b < a]


def _not_signed(address: str, came: list[Call], secret: str) -> list[str]:
    faults = []
    for call in came:
        try:
            verify([secret], call.headers, call.body, datetime.fromtimestamp(call.at, UTC))
        except Refused as fault:
            faults.append(f"{address}: {fault}")
    return faults


def _waits(
    written: dict[str, list[WebhookDelivery]], came: dict[str, list[Call]], part: tuple[int, int]
) -> dict[str, int]:
    """From the moment a message was written until it came."""
    waits = []
    for address in (name for name in written if name.startswith("calm")):
        first: dict[str, float] = {}
        for call in came[address]:
            first.setdefault(call.headers["webhook-id"], call.at)
        waits += [
            first[message_id(row)] - row.created_at.timestamp()
            for row in written[address][slice(*part)]
            if message_id(row) in first
        ]
    ordered = sorted(round(wait * 1000) for wait in waits) or [0]
    shares = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] for name, share in shares.items()}
