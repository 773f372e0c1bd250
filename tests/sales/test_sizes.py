"""What is paid by its size waits for its size, so that no sale is written too small."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.kernel.clock import fixed, utc_now
from portal.models import Inbox, Sale
from tests.people import Cast
from tests.vendors import activated, invite_vera, send


def test_an_activation_without_a_size_waits_for_it(app: Flask, cast: Cast) -> None:
    vera = invite_vera(app, cast)
    installed = {"type": "service.installed", "milestone": "installed"}
    send(app.test_client(), vera, activated(vera, size_thousandths=0), event_id="e1")

    with app.app_context():
        inbox.drain()

        assert db.session.scalars(select(Sale)).all() == []
        assert db.session.scalar(select(Inbox.last_error)) == "The size of contract K1 is not known yet."

    send(app.test_client(), vera, activated(vera, **installed), event_id="e2")
    with app.app_context():
        for minutes in (1, 3):
            inbox.drain(fixed(utc_now() + timedelta(minutes=minutes)))

        assert db.session.scalars(select(Sale.volume)).all() == [184_00]
