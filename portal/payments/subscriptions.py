"""Subscriptions: what the provider last said of them, by the time it happened, not by the time it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.ids import new_id
from portal.models import Consultant, Registration, Subscription
from portal.payments.recording import registration_of
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where

RANK = ("active", "past_due", "ended")


@dataclass(frozen=True)
class SubscriptionNotice:
    """What one event says of a subscription at the moment `at`; empty for what it does not say.

    `state` is one of `RANK`; `tells_end`: `ends_at` is what was asked for, None for going on.
    """

    provider_ref: str
    at: datetime
    state: str = ""
    registration_id: str = ""
    customer_ref: str = ""
    paid_until: datetime | None = None
    ends_at: datetime | None = None
    tells_end: bool = False


def note_subscription(uow: UnitOfWork, *, notice: SubscriptionNotice) -> Subscription:
    """Keep what is newer in the notice than what is known; in every order the same comes out.

    An ended one stays ended. Of two events of the same second the later state counts. Raises `NotYetKnown`
    for a subscription of nobody.
    """
    subscription = _found(uow, notice)
    subscription.customer_ref = subscription.customer_ref or notice.customer_ref or None
    if notice.paid_until:
        subscription.current_until = max(subscription.current_until or notice.paid_until, notice.paid_until)
    if notice.state == "ended":
        _end(subscription, notice)
    elif subscription.state != "ended":
        _go_on(subscription, notice)
    if subscription.state == "ended" and subscription.current_until:
        subscription.ends_at = max(
            subscription.ends_at or subscription.current_until, subscription.current_until
        )
    subscription.changed_at = max(subscription.changed_at, notice.at)
    uow.session.flush()
    return subscription


def over(session: Session, *, now: datetime, limit: int = 200) -> Sequence[Registration]:
    """Registrations whose subscription has ended, whose paid time is over, and whose pack is still held."""
    return session.scalars(
        select(Registration)
        .join(Subscription, Subscription.registration_id == Registration.id)
        .join(Consultant, Consultant.id == Registration.consultant_id)
        .where(Subscription.state == "ended", Subscription.ends_at <= now)
        .where(Consultant.pack == Registration.pack)
        .order_by(Registration.id)
        .limit(limit)
    ).all()


def _found(uow: UnitOfWork, notice: SubscriptionNotice) -> Subscription:
    held = Subscription.provider_ref == notice.provider_ref
    known = lock_where(uow, Subscription, held)
    if known is not None:
        return known
    registration = registration_of(uow, notice.registration_id, notice.provider_ref)
    insert_or_skip(
        uow.session,
        Subscription,
        unique=("provider_ref",),
        public_id=new_id(),
        registration_id=registration.id,
        provider_ref=notice.provider_ref,
        state="active",
        changed_at=notice.at,
    )
    made = lock_where(uow, Subscription, held)
    assert made is not None, "a subscription is never deleted"
    made.state = notice.state or "active"
    return made


def _end(subscription: Subscription, notice: SubscriptionNotice) -> None:
    if subscription.state != "ended" or subscription.ends_changed_at is None:
        subscription.state, subscription.ends_at = "ended", notice.ends_at or notice.at
        subscription.ends_changed_at = notice.at
        return
    if notice.at > subscription.ends_changed_at:
        subscription.ends_at, subscription.ends_changed_at = notice.ends_at or notice.at, notice.at


def _go_on(subscription: Subscription, notice: SubscriptionNotice) -> None:
    if notice.state:
        said = (notice.at, RANK.index(notice.state))
        if said > (subscription.changed_at, RANK.index(subscription.state)):
            subscription.state = notice.state
    known = subscription.ends_changed_at
    if notice.tells_end and (known is None or notice.at > known):
        subscription.ends_at, subscription.ends_changed_at = notice.ends_at, notice.at
