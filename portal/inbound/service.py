"""The inbox: a signed message is stored once, before anything is done about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from portal.models import Inbox
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where

STRIPE = "stripe"


@dataclass(frozen=True)
class Arrival:
    """A message whose sender was proved. `vendor_id` is None for Stripe."""

    source: str
    event_id: str
    kind: str
    body: bytes
    vendor_id: int | None = None


@dataclass(frozen=True)
class Receipt:
    """Whether the message is new here, and whether its body is the one we have under its id."""

    is_new: bool
    same_body: bool


def vendor_source(vendor_id: int) -> str:
    """Under which name a vendor's messages stand in the inbox."""
    return f"vendor-{vendor_id}"


def receive(uow: UnitOfWork, *, arrival: Arrival) -> Receipt:
    """Store a message, or count one more delivery of a message with the same id and body."""
    digest = hashlib.sha256(arrival.body).hexdigest()
    now = uow.clock()
    is_new = insert_or_skip(
        uow.session,
        Inbox,
        unique=("source", "event_id"),
        source=arrival.source,
        vendor_id=arrival.vendor_id,
        event_id=arrival.event_id,
        kind=arrival.kind[:64],
        body=arrival.body,
        body_sha256=digest,
        received_at=now,
        deliveries=1,
        state="new",
        attempts=0,
        next_at=now,
    )
    if is_new:
        return Receipt(is_new=True, same_body=True)
    row = lock_where(uow, Inbox, Inbox.source == arrival.source, Inbox.event_id == arrival.event_id)
    assert row is not None, "an inbox row is never deleted"
    same_body = row.body_sha256 == digest
    row.deliveries += same_body
    return Receipt(is_new=False, same_body=same_body)
