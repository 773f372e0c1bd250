"""Vera the vendor, the people who work for her, and a second vendor whose things are none of hers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox, reactions, relay
from portal.access.passwords import hash_password
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import AccountUser, Inbox
from portal.store import UnitOfWork, perform
from portal.store.inbox import Arrival, receive, vendor_source
from portal.vendors.members import invite
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.vendors import Vera, activated, body_of, invite_vera

_hashes: list[str] = []


def hire(app: Flask, vendor_id: int, name: str) -> int:
    """Somebody who works for a vendor and has chosen the password of all tests; the id of their sign-in."""
    if not _hashes:
        _hashes.append(hash_password(PASSWORD))

    def work(uow: UnitOfWork) -> int:
        member = invite(
            uow, vendor_id=vendor_id, name=name, email=f"{name.lower()}@example.com", actor_id=None
        )
        uow.session.get_one(AccountUser, member.user_id).password_hash = _hashes[0]
        return member.user_id

    with app.app_context():
        return perform(work)


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


@pytest.fixture
def cleo(app: Flask, vera: Vera, visitor: Callable[[], Visitor]) -> Visitor:
    """Vera's clerk."""
    hire(app, vera.vendor_id, "Cleo")
    browser = visitor()
    browser.sign_in("cleo@example.com", PASSWORD)
    return browser


def come(app: Flask, vera: Vera, *, dead: bool = False, ref: str = "K1") -> int:
    """An event of a vendor that took effect, or was given up; its id in the inbox."""
    event = activated(vera, contract_ref=ref, occurred_at=utc_now(), signed_on=None)
    document = body_of(event)
    document["customer"] |= {"name": "Rosa Diaz", "email": "rosa@example.com"}
    if dead:
        document["contract"]["service"] = "roof"
    arrival = Arrival(
        source=vendor_source(vera.vendor_id),
        event_id=f"e-{vera.vendor_id}-{ref}",
        kind=event.type,
        body=json.dumps(document).encode(),
        vendor_id=vera.vendor_id,
        object_ref=ref,
    )
    with app.app_context():
        perform(lambda uow: receive(uow, arrival=arrival))
        inbox.drain()
        row = db.session.scalars(select(Inbox).where(Inbox.event_id == arrival.event_id)).one()
        if dead:
            perform(lambda uow: setattr(uow.session.get_one(Inbox, row.id), "state", "dead"))
        return row.id


def state_of(app: Flask, inbox_id: int) -> str:
    with app.app_context():
        return db.session.get_one(Inbox, inbox_id).state


def compare(app: Flask) -> None:
    with app.app_context():
        relay.carry()
        reactions.drain_money()
