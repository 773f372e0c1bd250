"""The inbox: a signed message is stored once, before anything is done about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from portal.kernel.errors import Conflict, NotYours
from portal.models import Inbox
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where
from portal.store.unit_of_work import UnitOfWork

STRIPE = "stripe"


@dataclass(frozen=True)
class Arrival:
    """A message whose sender was proved. `vendor_id` is None for Stripe.

    `object_ref` is the sender's name of what it speaks of, `account` the connected account it came for;
    `found_by` is `webhook`, or `sweep` where we had to ask.
    """

    source: str
    event_id: str
    kind: str
    body: bytes
    vendor_id: int | None = None
    object_ref: str = ""
    account: str = ""
    found_by: str = "webhook"


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
    row = new_row(arrival, uow.clock())
    if insert_or_skip(uow.session, Inbox, unique=("source", "event_id"), **row):
        return Receipt(is_new=True, same_body=True)
    known = lock_where(uow, Inbox, Inbox.source == arrival.source, Inbox.event_id == arrival.event_id)
    assert known is not None, "an inbox row is never deleted"
    same_body = is_same_body(known, arrival)
    # Stripe writes one event in more than one way; what a vendor changed under its id is another message.
    known.deliveries += arrival.found_by == "webhook" and (same_body or arrival.source == STRIPE)
    return Receipt(is_new=False, same_body=same_body)


def new_row(arrival: Arrival, now: datetime) -> dict[str, Any]:
    """The row of a message that nothing was done about yet."""
    return {
        "source": arrival.source,
        "vendor_id": arrival.vendor_id,
        "event_id": arrival.event_id,
        "kind": arrival.kind[:64],
        "object_ref": arrival.object_ref or None,
        "account": arrival.account or None,
        "found_by": arrival.found_by,
        "body": arrival.body,
        "body_sha256": _digest(arrival.body),
        "received_at": now,
        "deliveries": int(arrival.found_by == "webhook"),
        "state": "new",
        "attempts": 0,
        "next_at": now,
    }


def is_same_body(known: Inbox, arrival: Arrival) -> bool:
    """Whether a message says the same as the one we have: the same bytes, or the same JSON written otherwise.

    One event may come by itself and again in a batch.
    """
    return known.body_sha256 == _digest(arrival.body) or _plain(known.body) == _plain(arrival.body)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _plain(body: bytes) -> bytes:
    """JSON in one way of writing it; what is none stays as it is."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body


def try_waiting(
    uow: UnitOfWork, *, source: str, refs: Iterable[str], states: tuple[str, ...] = ("retry", "dead")
) -> int:
    """Let messages about these objects take effect again now, with all their tries; how many.

    For when something became known that they waited for. Their effects are keyed, so that nothing doubles.
    """
    wanted = [ref for ref in refs if ref]
    if not wanted:
        return 0
    # The message that is just taking effect is due and not dead: it stays as it is.
    asleep = or_(Inbox.state != "retry", Inbox.next_at > uow.clock())
    about = (Inbox.source == source, Inbox.object_ref.in_(wanted), Inbox.state.in_(states), asleep)
    # What somebody has in hand is not asleep, whatever their clock says.
    free = select(Inbox.id).where(*about).with_for_update(skip_locked=True)
    again = update(Inbox).where(Inbox.id.in_(free))
    again = again.values(state="retry", attempts=0, next_at=uow.clock(), done_at=None)
    return len(uow.session.scalars(again.returning(Inbox.id)).all())


def replay(uow: UnitOfWork, *, source: str, inbox_id: int, actor_id: int) -> None:
    """Try a message once more from the start that was given up; its effects are keyed, so nothing doubles.

    Raises `NotYours` for a message of somebody else, `Conflict` for one that was not given up.
    """
    row = lock_where(uow, Inbox, Inbox.id == inbox_id, Inbox.source == source)
    if row is None:
        raise NotYours("There is no such event.")
    if row.state != "dead":
        raise Conflict("Only an event that was given up can be tried again.")
    row.state, row.attempts, row.next_at, row.done_at = "retry", 0, uow.clock(), None
    uow.note("event replayed", thing="inbox", thing_id=row.id, actor_id=actor_id)
    uow.published = True


def give_up(uow: UnitOfWork, *, source: str, inbox_id: int, actor_id: int) -> None:
    """Try a message no more that cannot take effect, since its sender tells it otherwise under another id.

    Unlike one that was given up after many tries it wakes by nothing that becomes known. Raises `NotYours`
    for a message of somebody else, `Conflict` for one that took effect meanwhile or was not tried yet.
    """
    row = lock_where(uow, Inbox, Inbox.id == inbox_id, Inbox.source == source)
    if row is None:
        raise NotYours("There is no such event.")
    if row.state not in ("retry", "dead"):
        raise Conflict("Only an event that is tried again or was given up can be ended by hand.")
    before, row.state, row.done_at = row.state, "ignored", uow.clock()
    row.problem, row.outcome = None, "ended by hand; it is not tried again"
    uow.note("event ended by hand", thing="inbox", thing_id=row.id, actor_id=actor_id, was=before)
