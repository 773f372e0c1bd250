"""Addresses that are told of what happens: the company's of everything, a consultant's of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.kernel.callbacks import callback_fault
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id, new_signing_secret
from portal.models import WebhookEndpoint
from portal.store import UnitOfWork
from portal.store.locks import advisory, lock_where

KINDS: Final = (
    "consultant.registered",
    "customer.registered",
    "lead.taken",
    "sale.recorded",
    "sale.reversed",
    "commission.credited",
    "withdrawal.paid",
)
MOST_ENDPOINTS: Final = 10
MOST_FAILURES: Final = 20
BOTH_SECRETS_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Mine:
    """An endpoint on one side: a consultant's own, or the company's; and who acts on it."""

    public_id: str
    consultant_id: int | None
    actor_id: int

    def locked(self, uow: UnitOfWork) -> WebhookEndpoint:
        """The endpoint, locked. Raises `NotYours`."""
        found = lock_where(
            uow, WebhookEndpoint, WebhookEndpoint.public_id == self.public_id, *_of(self.consultant_id)
        )
        if found is None:
            raise NotYours("There is nothing here under this address.")
        return found


@dataclass(frozen=True)
class Wish:
    """An endpoint as somebody wants it; `loopback` lets it be on this machine, in development."""

    url: str
    kinds: tuple[str, ...]
    loopback: bool = False


def add_endpoint(uow: UnitOfWork, *, consultant_id: int | None, wish: Wish, actor_id: int) -> WebhookEndpoint:
    """Tell an address from now on. Raises `BadInput` naming the field, `Conflict` for too many."""
    fault = callback_fault(wish.url.strip(), loopback=wish.loopback)
    if fault:
        raise BadInput(fault, field="url")
    if not wish.kinds or not set(wish.kinds) <= set(KINDS):
        raise BadInput("Please choose what the address is told of.", field="kinds")
    advisory(uow, f"webhook-endpoints-{consultant_id or 'company'}")
    if len(endpoints(uow.session, consultant_id)) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} addresses already.", field="url")
    endpoint = WebhookEndpoint(
        public_id=new_id(),
        consultant_id=consultant_id,
        url=wish.url.strip(),
        secret=new_signing_secret(),
        kinds=[kind for kind in KINDS if kind in wish.kinds],
        created_by=actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(endpoint)
    uow.session.flush()
    _note(uow, endpoint, "make", actor_id)
    return endpoint


def rotate_secret(uow: UnitOfWork, mine: Mine) -> str:
    """A new secret; for a day messages are signed with the old one too."""
    endpoint = mine.locked(uow)
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, uow.clock() + BOTH_SECRETS_FOR
    endpoint.secret = new_signing_secret()
    _note(uow, endpoint, "rotate", mine.actor_id)
    uow.session.flush()
    return endpoint.secret


def disable(uow: UnitOfWork, mine: Mine) -> None:
    """Tell an address nothing more; what happens meanwhile it is not told later."""
    endpoint = mine.locked(uow)
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = uow.clock(), "Switched off by hand"
        _note(uow, endpoint, "disable", mine.actor_id)


def enable(uow: UnitOfWork, mine: Mine) -> None:
    """Tell an address again, beginning with what still waited."""
    endpoint = mine.locked(uow)
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.failures = None, None, 0
    _note(uow, endpoint, "enable", mine.actor_id)
    uow.published = True


def endpoints(session: Session, consultant_id: int | None) -> Sequence[WebhookEndpoint]:
    """The addresses of a consultant, or of the company."""
    own = select(WebhookEndpoint).where(*_of(consultant_id)).order_by(WebhookEndpoint.id)
    return session.scalars(own).all()


def kinds_told(session: Session) -> frozenset[str]:
    """Every kind of event that some address is told of now."""
    on = (WebhookEndpoint.disabled_at.is_(None), WebhookEndpoint.vendor_id.is_(None))
    told = session.scalars(select(WebhookEndpoint.kinds).where(*on))
    return frozenset(kind for kinds in told for kind in kinds)


def endpoint_of(session: Session, public_id: str, consultant_id: int | None) -> WebhookEndpoint:
    """One of them. Raises `NotYours`."""
    own = select(WebhookEndpoint).where(WebhookEndpoint.public_id == public_id, *_of(consultant_id))
    found = session.scalar(own)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def _of(consultant_id: int | None) -> tuple[ColumnElement[bool], ...]:
    mine = (
        WebhookEndpoint.consultant_id.is_(None)
        if consultant_id is None
        else WebhookEndpoint.consultant_id == consultant_id
    )
    return (mine, WebhookEndpoint.vendor_id.is_(None))


def _note(uow: UnitOfWork, endpoint: WebhookEndpoint, what: str, actor_id: int) -> None:
    uow.note(f"webhook.{what}", thing="webhook_endpoint", thing_id=endpoint.id, actor_id=actor_id)
