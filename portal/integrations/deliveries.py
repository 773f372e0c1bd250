"""What each address is to be told: written once for an event, sent until it is taken, kept to be read.

Sending stands outside every unit of work: claimed under a lease, sent, and settled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, update
from sqlalchemy.orm import Session

from portal.integrations.endpoints import MOST_FAILURES
from portal.kernel.errors import Conflict, NotYours
from portal.kernel.ids import new_id
from portal.models import WebhookDelivery, WebhookEndpoint
from portal.models.integration import WAITS
from portal.store import UnitOfWork
from portal.store.locks import lock_row, lock_where

LEASE: Final = timedelta(seconds=30)
MOST_TRIES: Final = 8
PAGE: Final = 25
TEST: Final = "test"
# As they became due; what is tried for the first time comes in the order in which it was written.
SINCE: Final = (WebhookDelivery.next_at, WebhookDelivery.id)
GONE: Final = 410


@dataclass(frozen=True)
class Parcel:
    """One message to be sent now: signed with every secret that holds; the id is the same at every try.

    `is_unsure` where the address did not take what was sent last.
    """

    delivery_id: int
    endpoint_id: int
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: bytes
    attempts: int
    is_unsure: bool


@dataclass(frozen=True)
class Outcome:
    """What came of a try; `again_at` is when to try once more."""

    status: int
    words: str
    taken: bool
    again_at: datetime


def due(now: datetime) -> Select[int]:
    """The addresses with a message that is due, and to which nobody is sending.

    Goes by the index from one address with waiting messages to the next, however many wait for each.
    """
    waiting = select(func.min(WebhookDelivery.endpoint_id).label("id")).where(WAITS)
    turn = waiting.cte("turn", recursive=True)
    following = waiting.where(WebhookDelivery.endpoint_id > turn.c.id).scalar_subquery()
    turn = turn.union_all(select(following).where(turn.c.id.is_not(None)))
    return (
        select(WebhookEndpoint.id)
        .where(WebhookEndpoint.id.in_(select(turn.c.id)), WebhookEndpoint.disabled_at.is_(None))
        .where(_nobody_sends(now), _first(now).is_not(None))
    )


def claim_some(uow: UnitOfWork, *, most: int, unsure: int) -> list[Parcel]:
    """Take the first due messages of different addresses under a lease; nobody else sends to these meanwhile.

    At most `unsure` are of addresses that did not take what was sent last: slow ones never fill all places.
    The addresses are locked before it is asked once more whether somebody sends to them, and drawn by lot, so
    that long queues of some hold up no other.
    """
    now, failures = uow.clock(), WebhookEndpoint.failures
    drawn = due(now).order_by(func.random()).with_for_update(skip_locked=True, key_share=True)
    held = list(uow.session.scalars(drawn.where(failures == 0).limit(most)))
    if places := min(most - len(held), unsure):
        held += uow.session.scalars(drawn.where(failures > 0).limit(places))
    first = select(_first(now)).where(WebhookEndpoint.id.in_(held), _nobody_sends(now))
    wanted = select(WebhookDelivery).where(WebhookDelivery.id.in_(first))
    locked = wanted.with_for_update(skip_locked=True, of=WebhookDelivery)
    rows = uow.session.scalars(locked.execution_options(populate_existing=True)).unique().all()
    for row in rows:
        row.attempts += 1
        row.lease_until = now + LEASE
    uow.session.flush()
    return [_parcel(row, now) for row in rows]


def settle(uow: UnitOfWork, parcel: Parcel, outcome: Outcome) -> bool:
    """Write down what came of a try; True where the address is switched off because of it."""
    endpoint = uow.session.get_one(
        WebhookEndpoint, parcel.endpoint_id, with_for_update={"key_share": True}, populate_existing=True
    )
    row = lock_row(uow, WebhookDelivery, parcel.delivery_id)
    if row.attempts != parcel.attempts or row.state == "done":
        # The lease was over: somebody else tried meanwhile.
        return False
    row.status_code, row.answer, row.lease_until = outcome.status or None, outcome.words, None
    if outcome.taken:
        row.state, row.done_at, endpoint.failures = "done", uow.clock(), 0
        return False
    row.state = "dead" if row.attempts >= MOST_TRIES or row.state == "dead" else "retry"
    row.next_at = outcome.again_at
    endpoint.failures += 1
    return _switch_off(uow, endpoint, outcome)


def replay(uow: UnitOfWork, *, endpoint: WebhookEndpoint, public_id: str, actor_id: int) -> None:
    """Send a message once more, with all its tries and under the same id. Raises `NotYours`, `Conflict`."""
    _check_on(endpoint)
    mine = (WebhookDelivery.public_id == public_id, WebhookDelivery.endpoint_id == endpoint.id)
    row = lock_where(uow, WebhookDelivery, *mine)
    if row is None:
        raise NotYours("There is nothing here under this address.")
    row.state, row.attempts, row.next_at = "retry", 0, uow.clock()
    row.done_at = None
    uow.note("webhook.replay", thing="webhook_delivery", thing_id=row.id, actor_id=actor_id)
    uow.published = True


def send_test(uow: UnitOfWork, *, endpoint: WebhookEndpoint) -> str:
    """Tell an address that this is a test; the id of the message. Raises `Conflict`."""
    _check_on(endpoint)
    data = {"words": "This is a test. Nothing happened."}
    return write(uow, endpoint, kind=TEST, key=f"test:{new_id()}", data=data)


def write(uow: UnitOfWork, endpoint: WebhookEndpoint, *, kind: str, key: str, data: dict[str, Any]) -> str:
    """Write a message for an address, due now; the id it has."""
    public_id, now = new_id(), uow.clock()
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    uow.session.add(
        WebhookDelivery(
            public_id=public_id,
            endpoint_id=endpoint.id,
            event_key=key,
            kind=kind,
            body={"type": kind, "timestamp": at, "data": data},
            state="new",
            attempts=0,
            next_at=now,
            created_at=now,
        )
    )
    uow.session.flush()
    uow.published = True
    return public_id


def page_of(session: Session, endpoint_id: int, *, before: int | None) -> Sequence[WebhookDelivery]:
    """Messages to an address, newest first, one more than fits where there are more."""
    rows = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if before is not None:
        rows = rows.where(WebhookDelivery.id < before)
    return session.scalars(rows.order_by(WebhookDelivery.id.desc()).limit(PAGE + 1)).unique().all()


def delivery_of(session: Session, endpoint_id: int, public_id: str) -> WebhookDelivery:
    """One of them. Raises `NotYours`."""
    wanted = (WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.public_id == public_id)
    found = session.scalars(select(WebhookDelivery).where(*wanted)).unique().one_or_none()
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def hold_back(uow: UnitOfWork, *, key_prefix: str) -> None:
    """What was not sent of something that was undone is not sent any more."""
    waiting = (WAITS, WebhookDelivery.event_key.startswith(key_prefix), WebhookDelivery.state == "new")
    words = "Undone before it was sent."
    gone = update(WebhookDelivery).where(*waiting).values(state="dead", answer=words)
    uow.session.execute(gone.execution_options(synchronize_session=False))


def body_bytes(row: WebhookDelivery) -> bytes:
    """The body as it is sent and signed, the same at every try."""
    return json.dumps(row.body, sort_keys=True, separators=(",", ":")).encode()


def message_id(row: WebhookDelivery) -> str:
    """The id under which a message is sent."""
    return f"msg_{row.public_id}"


def _check_on(endpoint: WebhookEndpoint) -> None:
    """Nobody asks for a message that would wait without their knowing."""
    if endpoint.disabled_at is not None:
        raise Conflict("This address is switched off. Please switch it on first.")


def _first(now: datetime) -> ScalarSelect[int]:
    """The message to an address that is due for the longest time."""
    mine = (WAITS, WebhookDelivery.endpoint_id == WebhookEndpoint.id, WebhookDelivery.next_at <= now)
    first = select(WebhookDelivery.id).where(*mine).order_by(*SINCE).limit(1)
    return first.correlate(WebhookEndpoint).scalar_subquery()


def _nobody_sends(now: datetime) -> ColumnElement[bool]:
    """Whether no message to an address is under a lease."""
    return WebhookEndpoint.id.not_in(
        select(WebhookDelivery.endpoint_id).where(WebhookDelivery.lease_until > now)
    )


def _parcel(row: WebhookDelivery, now: datetime) -> Parcel:
    endpoint = row.endpoint
    secrets = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now:
        secrets.append(endpoint.old_secret)
    about = (tuple(secrets), message_id(row), body_bytes(row))
    return Parcel(row.id, endpoint.id, endpoint.url, *about, row.attempts, is_unsure=endpoint.failures > 0)


def _switch_off(uow: UnitOfWork, endpoint: WebhookEndpoint, outcome: Outcome) -> bool:
    if endpoint.disabled_at is not None:
        return False
    if outcome.status == GONE:
        reason = "The address answered that it is gone (410)"
    elif endpoint.failures >= MOST_FAILURES:
        reason = f"{MOST_FAILURES} tries in a row were not taken"
    else:
        return False
    endpoint.disabled_at, endpoint.disabled_reason = uow.clock(), reason
    return True
