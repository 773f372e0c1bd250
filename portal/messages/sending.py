"""What is known about each sending: claimed by one worker for a while, then sent, tried again, or given up.

A mail may have been sent from its first try on whose answer was lost (`first_tried_at`). It is then repeated
under the same idempotency key only as long as the provider remembers that key; after that it is `unknown`,
is shown to a person, and is never sent again. A mail that surely was not sent may be tried for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.messages.kinds import NOT_WANTED, is_unwanted
from portal.models import Message, Person
from portal.store import people
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LEASE = timedelta(minutes=2)
MOST_TRIES = 8


@dataclass(frozen=True)
class Claimed:
    """A message that this worker may send until its lease is over.

    `fresh`: no earlier try can have sent it. `attempts` counts this try. `stop_token` lets the reader ask
    not to be contacted.
    """

    message_id: int
    public_id: str
    template: str
    params: dict[str, object]
    name: str
    email: str
    attempts: int
    fresh: bool
    stop_token: str


def claim_next(uow: UnitOfWork, *, repeat_within: timedelta) -> Claimed | None:
    """Take the next message that is due, or whose worker died; None when there is nothing to do.

    `repeat_within` is how long after a lost answer the provider still knows the key.
    """
    while message := _next_due(uow):
        if not _unwanted(uow, message) and not _given_up(message, uow.clock(), repeat_within):
            return _claim(uow, message)
        uow.session.flush()
    return None


def mark_sent(uow: UnitOfWork, *, message_id: int, provider_ref: str) -> None:
    """The provider has it. This also holds when the lease was over before the answer came."""
    message = lock_row(uow, Message, message_id)
    if message.state != "sent":
        message.state, message.sent_at, message.last_error = "sent", uow.clock(), None
        message.provider_ref = provider_ref or message.provider_ref
        message.lease_until = None


def mark_failed(uow: UnitOfWork, *, claimed: Claimed, error: str) -> None:
    """It will never be sent."""
    message = lock_row(uow, Message, claimed.message_id)
    if _is_ours(message, claimed):
        message.state, message.last_error, message.lease_until = "failed", error[:1000], None


def mark_retry(
    uow: UnitOfWork, *, claimed: Claimed, error: str, next_at: datetime, perhaps_sent: bool
) -> None:
    """It is tried again at `next_at`, or given up after the last try."""
    message = lock_row(uow, Message, claimed.message_id)
    if not _is_ours(message, claimed):
        return
    if claimed.fresh and not perhaps_sent:
        message.first_tried_at = None
    message.state, message.last_error = "queued", error[:1000]
    message.next_at, message.lease_until = next_at, None
    if message.attempts >= MOST_TRIES:
        message.state = _end_of(message)


def _next_due(uow: UnitOfWork) -> Message | None:
    return uow.session.scalar(
        select(Message)
        .where(Message.state.in_(("queued", "sending")), Message.next_at <= uow.clock())
        .order_by(Message.next_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _unwanted(uow: UnitOfWork, message: Message) -> bool:
    """Whether the person asked meanwhile not to get such mail; then the message says so and is never sent."""
    person = uow.session.get_one(Person, message.person_id)
    if is_unwanted(uow.session, template=message.template, person=person):
        message.state, message.last_error, message.lease_until = _end_of(message), NOT_WANTED, None
    return message.state not in ("queued", "sending")


def _given_up(message: Message, now: datetime, repeat_within: timedelta) -> bool:
    """Whether another try is out of the question; then the message says so."""
    tried = message.first_tried_at
    too_late = tried is not None and now - tried >= repeat_within
    if too_late or message.attempts >= MOST_TRIES:
        message.state, message.lease_until = _end_of(message), None
    return message.state not in ("queued", "sending")


def _end_of(message: Message) -> str:
    return "failed" if message.first_tried_at is None else "unknown"


def _claim(uow: UnitOfWork, message: Message) -> Claimed:
    now, fresh = uow.clock(), message.first_tried_at is None
    person = uow.session.get_one(Person, message.person_id)
    message.state, message.attempts = "sending", message.attempts + 1
    message.first_tried_at = message.first_tried_at or now
    message.lease_until = message.next_at = now + LEASE
    uow.session.flush()
    return Claimed(
        message_id=message.id,
        public_id=message.public_id,
        template=message.template,
        params=message.params,
        name=person.name,
        email=person.email,
        attempts=message.attempts,
        fresh=fresh,
        stop_token=people.token_for(person, people.STOP),
    )


def _is_ours(message: Message, claimed: Claimed) -> bool:
    """Nobody else took it up meanwhile: a late answer changes nothing then."""
    return message.state == "sending" and message.attempts == claimed.attempts
