"""P9: what no webhook ever brought is found by asking, in two sweeps at most."""

from __future__ import annotations

import os
import random
from datetime import timedelta

from sqlalchemy import func, select

from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import _found
from portal.models import EventSweep, Inbox, Payment
from portal.payments import sweeping

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
PAYMENTS = 200 * TIMES


class Provider:
    """Stripe's list of events and its pages, without a wire; `breaks` after so many."""

    def __init__(self, stage, breaks=0):
        self.stage = stage
        self.breaks = breaks
        self.asked = []

    def events_since(self, since, account=""):
        self.asked.append(since)
        with self.stage.play.store.reading() as books:
            newest = books.newest("event", limit=100_000)
        for place, event in enumerate(newest):
            if self.breaks and place == self.breaks:
                raise ProviderUnavailable("away")
            if event["created"] >= since.timestamp():
                yield _found(event)

    def page_event(self, session_id):
        with self.stage.play.store.writing() as books:
            session = self.stage.play.session(books, session_id)
        if session["status"] == "open":
            return None
        kind = "completed" if session["status"] == "complete" else "expired"
        return _found(
            {
                "id": f"{session_id}-{session['status']}-{session['payment_status']}",
                "type": f"checkout.session.{kind}",
                "created": session["created"],
                "livemode": False,
                "data": {"object": session},
            }
        )


def sweep(stage, provider=None):
    with stage.app.app_context():
        swept = sweeping.sweep_events(provider or Provider(stage), live_only=False, clock=stage.clock)
        return swept.listed, swept.found


def paid(stage):
    with stage.app.app_context():
        return db.session.scalar(select(func.count(Payment.id)))


def with_losses(stage, *, payments=PAYMENTS, seed=9):
    """So many payments, a tenth of whose events never arrive; all events, and those that did."""
    events = []
    for place in range(payments):
        subject = stage.order() if place % 4 == 0 else stage.register()
        events += stage.act(subject, "pay")
    chance = random.Random(seed)
    arrived = [event for event in events if chance.random() > 0.1]
    stage.deliver(arrived)
    stage.finish()
    return events, arrived


def test_two_sweeps_find_every_payment_that_was_not_told(small_stage):
    events, arrived = with_losses(small_stage)
    missing = len(events) - len(arrived)
    before = paid(small_stage)

    first, second = sweep(small_stage), sweep(small_stage)
    small_stage.finish()

    assert 0.05 * PAYMENTS <= missing == PAYMENTS - before
    assert (first, second[1]) == ((len(events), missing), 0)
    assert paid(small_stage) == PAYMENTS
    assert small_stage.count(Inbox.found_by == "sweep") == missing
    assert small_stage.faults() == []


def test_without_the_sweep_they_stay_missing(small_stage):
    events, arrived = with_losses(small_stage, payments=40)

    small_stage.finish()

    assert paid(small_stage) == len(arrived) < len(events)


def test_a_webhook_that_comes_after_the_sweep_changes_nothing(small_stage):
    subject = small_stage.register()
    events = small_stage.act(subject, "pay", "refund-part")
    sweep(small_stage)
    small_stage.finish()
    before = small_stage.state_of(subject)

    small_stage.deliver(events)
    small_stage.finish()

    assert small_stage.state_of(subject) == before
    assert small_stage.count() == len(events)


def test_a_sweep_that_breaks_off_is_begun_again_from_the_same_moment(small_stage):
    for _ in range(4):
        small_stage.act(small_stage.register(), "pay")
    broken, whole = Provider(small_stage, breaks=2), Provider(small_stage)

    try:
        sweep(small_stage, broken)
    except ProviderUnavailable:
        after = small_stage.count()
    listed, _ = sweep(small_stage, whole)

    assert after < 4 == listed == small_stage.count()
    assert broken.asked == whole.asked


def test_a_sweep_begins_two_hours_before_the_end_of_the_last_and_not_before_thirty_days(small_stage):
    provider = Provider(small_stage)
    start = small_stage.now[0]
    sweep(small_stage, provider)
    small_stage.now[0] += timedelta(days=1)
    sweep(small_stage, provider)
    small_stage.now[0] += timedelta(days=90)
    sweep(small_stage, provider)

    assert provider.asked == [
        start - timedelta(days=30),
        start - timedelta(hours=2),
        small_stage.now[0] - timedelta(days=30),
    ]
    with small_stage.app.app_context():
        assert db.session.scalar(select(func.count(EventSweep.id))) == 3


def test_pages_of_which_nothing_was_heard_are_asked_for_after_a_day(small_stage):
    from portal.members import service as members
    from portal.payments import orders
    from portal.store import perform

    bought, joined, left = small_stage.order(), small_stage.register(), small_stage.register()
    with small_stage.app.app_context():
        perform(
            lambda uow: orders.note_checkout(
                uow, public_id=bought, checkout_session=small_stage.sessions[bought]
            )
        )
        for each in (joined, left):
            session = small_stage.sessions[each]
            perform(
                lambda uow, i=each, s=session: members.note_checkout(uow, public_id=i, checkout_session=s)
            )
    small_stage.act(bought, "pay")
    small_stage.act(joined, "pay")

    asked = []
    for _ in range(3):
        with small_stage.app.app_context():
            asked.append(
                sweeping.sweep_pages(Provider(small_stage), live_only=False, clock=small_stage.clock)
            )
        small_stage.drain(later=timedelta(hours=26))

    assert asked == [0, 3, 0]
    assert small_stage.state_of(bought)["order"] == "paid"
    assert small_stage.state_of(joined)["pack"] == "pack"
    assert small_stage.state_of(left)["registration"] == "expired"
