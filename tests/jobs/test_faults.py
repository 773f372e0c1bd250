"""A lost Redis, a bug, a query that never ends: nothing is forgotten, nothing holds up the others."""

from __future__ import annotations

import threading

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select, text

from jobs import effects, inbox, reactions, relay
from portal.commissions import projection
from portal.extensions import db, redis
from portal.kernel.clock import utc_now
from portal.kernel.facts import ConsultantRegistered, CustomerRegistered
from portal.models import Inbox, Outbox, Task
from portal.store import perform
from portal.store.inbox import Arrival, receive
from portal.store.redis import connect
from portal.store.wake import wake
from tests.shop import add_sale

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def never_ends(uow, _body):
    """Ask what the database gives up on, though nobody is in the way."""
    if db.engine.dialect.name == "postgresql":
        uow.session.execute(text("SET LOCAL statement_timeout = '5ms'"))
        uow.session.execute(text("SELECT pg_sleep(5)"))
    uow.session.execute(text("SELECT * FROM a_table_that_is_not_there"))


def test_a_sale_is_projected_though_redis_was_away_when_it_was_carried(app, cast):
    there = redis.client
    with app.app_context():
        projection.recalculate(db.session(), now=utc_now())
        perform(lambda uow: add_sale(uow, cast.ben, 400_00))
        redis.use(connect(NOBODY_LISTENS))
        with pytest.raises(RedisError):
            relay.carry()
        redis.use(there)

        assert relay.carry() == 1
        assert projection.is_behind()


def test_a_fault_does_not_end_the_relay(app, cast):
    with app.app_context():
        perform(lambda uow: uow.session.add(Outbox(name="unheard.of", body={}, happened_at=utc_now())))
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(app, stop), daemon=True)
    thread.start()

    thread.join(1)
    alive = thread.is_alive()
    stop.set()
    wake()
    thread.join(15)

    assert alive and not thread.is_alive()


def test_a_reaction_that_the_database_gives_up_on_does_not_hold_up_the_others(app, cast):
    with app.app_context():
        perform(lambda uow: uow.publish(CustomerRegistered(1)))
        perform(lambda uow: uow.publish(ConsultantRegistered(cast.ben)))
        relay.carry()
        first = db.session.scalars(select(Outbox.id).order_by(Outbox.id)).first()
        own = f"{__name__}.{never_ends.__name__}"
        row = Task(
            id=0, outbox_id=first, handler=own, queue="mail", state="new", attempts=0, next_at=utc_now()
        )
        perform(lambda uow: uow.session.add(row))

        reactions.drain_mail()

        mails = select(Task.state).where(Task.queue == "mail").order_by(Task.id)
        assert db.session.scalars(mails).all() == ["retry", "done"]


def test_a_message_that_the_database_gives_up_on_does_not_hold_up_the_others(app, cast, monkeypatch):
    monkeypatch.setitem(effects.STRIPE_EFFECTS, "test.endless", never_ends)
    monkeypatch.setattr(effects.stripe_events, "stored_event", bytes)
    with app.app_context():
        for number, kind in enumerate(("test.endless", "test.unknown")):
            arrival = Arrival(source="stripe", event_id=f"evt_{number}", kind=kind, body=b"{}")
            perform(lambda uow, arrival=arrival: receive(uow, arrival=arrival))

        inbox.drain()

        assert db.session.scalars(select(Inbox.state).order_by(Inbox.id)).all() == ["retry", "ignored"]
