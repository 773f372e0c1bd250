"""Reads for the doors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from portal.models import Inbox, Vendor, VendorKey

STATES: dict[str, tuple[str, ...]] = {
    "waiting": ("new", "retry"),
    "done": ("done", "ignored"),
    "dead": ("dead",),
}

_PUBLIC_ID = re.compile(r"[a-z2-7]{20}")
_SHOWN = (
    Inbox.event_id,
    Inbox.kind,
    Inbox.state,
    Inbox.outcome,
    Inbox.problem,
    Inbox.last_error,
    Inbox.attempts,
    Inbox.deliveries,
    Inbox.received_at,
    Inbox.next_at,
    Inbox.done_at,
)


def vendor_and_secrets(session: Session, public_id: str) -> tuple[int | None, list[str]]:
    """A vendor's id and the secrets of its live keys; None and none where unknown, disabled or without keys.

    `public_id` is the vendor's, or that of one of its live keys.
    """
    if not _PUBLIC_ID.fullmatch(public_id):
        return None, []
    live = VendorKey.revoked_at.is_(None)
    by_key = select(VendorKey.vendor_id).where(VendorKey.public_id == public_id, live)
    named = or_(Vendor.public_id == public_id, Vendor.id.in_(by_key))
    keys = select(VendorKey.vendor_id, VendorKey.secret).join(Vendor).where(named, live)
    found = session.execute(keys.where(Vendor.disabled_at.is_(None)).order_by(VendorKey.id)).all()
    return (found[0].vendor_id if found else None), [key.secret for key in found]


def event_of(session: Session, source: str, event_id: str) -> Row[*tuple[Any, ...]] | None:
    """What is known of one event of a vendor."""
    one = select(*_SHOWN).where(Inbox.source == source, Inbox.event_id == event_id)
    return session.execute(one).one_or_none()


def events_after(
    session: Session, vendor_id: int, *, after: str, states: Sequence[str], most: int
) -> Sequence[Row[*tuple[Any, ...]]] | None:
    """A vendor's events in the order they came, from the one after the event `after` on; None without it."""
    own = select(*_SHOWN).where(Inbox.vendor_id == vendor_id)
    if after:
        place = session.scalar(select(Inbox.id).where(Inbox.vendor_id == vendor_id, Inbox.event_id == after))
        if place is None:
            return None
        own = own.where(Inbox.id > place)
    if states:
        own = own.where(Inbox.state.in_(states))
    return session.execute(own.order_by(Inbox.id).limit(most)).all()
