"""A customer's name counts whenever a vendor tells it, also after the sale."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.models import Customer, Inbox
from tests.people import Cast
from tests.vendors import activated, invite_vera, registered, send


def test_a_name_that_comes_after_the_activation_is_kept(app: Flask, cast: Cast) -> None:
    vera = invite_vera(app, cast)
    named = registered(vera, customer_name="Rosa Diaz", customer_email="rosa@example.com")
    send(app.test_client(), vera, activated(vera), event_id="e1")
    send(app.test_client(), vera, named, event_id="e2")
    send(app.test_client(), vera, named, event_id="e3")

    with app.app_context():
        inbox.drain()

        customer = db.session.scalars(select(Customer)).unique().one()
        assert customer.person is not None and customer.person.name == "Rosa Diaz"
        assert db.session.scalars(select(Inbox.state).order_by(Inbox.id)).all() == ["done", "done", "ignored"]
