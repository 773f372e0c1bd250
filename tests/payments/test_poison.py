"""P19: an event that always fails ends in the dead letter and holds up nobody; P18's sibling for money in."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import effects, inbox, retries
from portal.extensions import db
from portal.models import Inbox, Payment
from portal.store import perform
from portal.store.inbox import STRIPE, replay
from tests.people import add_user

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
EVENTS = 500 * TIMES
POISONED = EVENTS // 100


def events_of(stage, number):
    """So many events of payments and their refunds, each payment with one refund in part."""
    events = []
    while len(events) < number:
        events += [
            e for e in stage.act(stage.register(), "pay", "refund-part") if e["type"] != "charge.refunded"
        ]
    return events[:number]


def poison(monkeypatch, events):
    """Every hundredth event makes its handler fail, always; gives the ids and how to heal it."""
    bad = {event["id"] for event in events[1::100]}
    real = effects.stripe_events.stored_event

    def read(body):
        event = real(body)
        if event.id in bad:
            raise ZeroDivisionError("poisoned")
        return event

    monkeypatch.setattr(effects.stripe_events, "stored_event", read)
    return bad, lambda: monkeypatch.setattr(effects.stripe_events, "stored_event", real)


def rows(stage, *conditions):
    with stage.app.app_context():
        return db.session.scalars(select(Inbox).where(*conditions).order_by(Inbox.id)).all()


def test_poisoned_events_are_given_up_after_eight_tries_and_the_rest_is_done(small_stage, monkeypatch):
    events = events_of(small_stage, EVENTS)
    bad, heal = poison(monkeypatch, events)
    small_stage.deliver(events)

    small_stage.drain()
    first_round = small_stage.count(Inbox.state == "done")
    small_stage.finish()

    dead = rows(small_stage, Inbox.state == "dead")
    assert first_round == EVENTS - POISONED == small_stage.count(Inbox.state == "done")
    assert {row.event_id for row in dead} == bad and len(bad) == POISONED
    assert {row.attempts for row in dead} == {8}
    assert all("poisoned" in row.last_error for row in dead)

    heal()
    with small_stage.app.app_context():
        actor = perform(lambda uow: add_user(uow, "Abe", role="admin").id)
        for row in dead:
            perform(
                lambda uow, i=row.id: replay(uow, source=STRIPE, inbox_id=i, actor_id=actor),
                small_stage.clock,
            )
    small_stage.drain()

    assert small_stage.count(Inbox.state == "done") == EVENTS
    with small_stage.app.app_context():
        states = db.session.scalars(select(Payment.state)).all()
    assert set(states) <= {"partly_refunded", "paid"} and len(states) == EVENTS // 2
    assert small_stage.faults() == []


def test_without_the_cap_a_poisoned_event_is_tried_for_ever(small_stage, monkeypatch):
    events = events_of(small_stage, 2)
    poison(monkeypatch, events)
    monkeypatch.setattr(inbox, "MOST_TRIES", 10**9)
    monkeypatch.setattr(inbox, "next_try", lambda now, attempts: retries.next_try(now, attempts=1))
    small_stage.deliver(events)

    for _ in range(20):
        small_stage.drain(later=timedelta(hours=1))

    (row,) = rows(small_stage, Inbox.state != "done")
    assert (row.state, row.attempts > 8) == ("retry", True)


def test_without_a_transaction_of_its_own_a_poisoned_event_would_hold_up_the_rest(small_stage, monkeypatch):
    """The control for "holds up nobody": errors that are not caught stop the drain."""
    events = events_of(small_stage, 4)
    poison(monkeypatch, events)
    small_stage.deliver(events)

    def bare(uow, *, tried, failure):
        raise failure

    monkeypatch.setattr(inbox, "_note", bare)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            small_stage.drain()

    assert small_stage.count(Inbox.state == "done") < 3
