"""P8, P9, P19 on the wire's other side: shuffled, repeated, killed, lost for ever, poisoned."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from jobs import inbox
from portal.extensions import db
from portal.ledger import book
from portal.models import Entry, Inbox
from portal.store import inbox as store_inbox
from tests.conftest import Database
from tests.payments.stage import build, company_balances

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
SUBJECTS = 40 * TIMES
SEED = int(os.environ.get("CANOPY_SEED", "8"))
LIVES = (
    ("pack", ("pay", "refund-part", "refund")),
    ("pack", ("pay", "dispute", "lose")),
    ("pack", ("pay", "refund", "fail-refund")),
    ("plus", ("pay", "renew", "fail-renewal", "pay-late", "call-off", "end")),
    ("plus", ("pay", "fail-renewal", "end")),
    ("plus", ("pay", "renew", "refund-part", "dispute", "win")),
    ("order", ("pay", "refund-part", "refund")),
    ("order", ("pay", "dispute", "win")),
    ("order", ("pay", "dispute", "lose")),
    ("order", ("bank", "arrive", "refund")),
)


CALM: list[Any] = []


class Killed(BaseException):
    """The process dies here, as with kill -9: nothing of the open transaction stays."""


def lives(stage, number):
    """Many people and orders with what happens to them: their subjects, and all events in their order."""
    subjects, events = [], []
    for place in range(number):
        what, acts = LIVES[place % len(LIVES)]
        subject = stage.order() if what == "order" else stage.register(what)
        subjects.append(subject)
        events += stage.act(subject, *acts)
    return subjects, events


def shuffled(events, seed):
    """Each event one to six times, in any order."""
    chance = random.Random(seed)
    deliveries = [event for event in events for _ in range(chance.randint(1, 6))]
    chance.shuffle(deliveries)
    return deliveries


def deliver_and_kill(stage, deliveries, monkeypatch, *, every):
    """Deliver in batches over three days; every so many effects a process dies in the middle of one."""
    chance = random.Random(SEED)
    died, real = [0], inbox._settle

    def settle(uow, row):
        real(uow, row)
        if chance.random() < 1 / every:
            died[0] += 1
            raise Killed

    monkeypatch.setattr(inbox, "_settle", settle)
    size = max(1, len(deliveries) // 30)
    for start in range(0, len(deliveries), size):
        stage.deliver(deliveries[start : start + size])
        stage.now[0] += timedelta(hours=72) / 30
        while not drained(stage):
            pass
    monkeypatch.setattr(inbox, "_settle", real)
    stage.finish()
    return died[0]


def drained(stage):
    try:
        stage.drain()
    except Killed:
        return False
    return True


def ends(stage, subjects):
    return [stage.state_of(subject) for subject in subjects]


def balances(stage):
    with stage.app.app_context():
        return company_balances()


def undisturbed(app, tmp_path):
    """The same lives, each event once and in its order, in a house of their own."""
    stage = build(app, tmp_path)
    subjects, events = lives(stage, SUBJECTS)
    stage.deliver(events)
    stage.now[0] += timedelta(hours=72)
    stage.finish()
    return ends(stage, subjects), balances(stage)


@pytest.fixture
def calm(sqlite_template, tmp_path, make_app):
    """How all ends when nothing goes wrong."""
    if CALM:
        return CALM[0]
    file = tmp_path / "calm.sqlite"
    shutil.copy(sqlite_template, file)
    app = make_app(Database("sqlite", f"sqlite:///{file}", f"sqlite:///{file}"))
    CALM.append(undisturbed(app, tmp_path))
    return CALM[0]


def test_each_event_takes_effect_once_whatever_happens_to_its_deliveries(calm, stage, monkeypatch):
    subjects, events = lives(stage, SUBJECTS)
    deliveries = shuffled(events, SEED)

    killed = deliver_and_kill(stage, deliveries, monkeypatch, every=25)

    assert len(events) >= 200 * TIMES and killed >= 5 * TIMES, f"seed {SEED}"
    assert ends(stage, subjects) == calm[0]
    assert balances(stage) == calm[1]
    assert stage.faults() == []
    with stage.app.app_context():
        rows = Counter(db.session.scalars(select(Inbox.state)))
        stored = db.session.scalar(select(func.sum(Inbox.deliveries)))
    assert set(rows) == {"done", "ignored"}
    assert (rows.total(), stored) == (len(events), len(deliveries))


def test_without_the_key_of_the_inbox_events_take_effect_more_than_once(small_stage, monkeypatch):
    """The unique key gone and the business keys too: what is left to hold is nothing."""
    subject = small_stage.register()
    events = small_stage.act(subject, "pay", "refund-part")
    _forget_keys(monkeypatch)
    _forget_deliveries(monkeypatch)

    small_stage.deliver([*events, *events, *events])
    small_stage.finish()

    assert small_stage.count() == 3 * len(events)
    with small_stage.app.app_context():
        assert len(db.session.scalars(select(Entry).where(Entry.kind == "refund")).all()) > 1


def test_with_the_business_key_alone_a_lost_inbox_key_does_no_harm(small_stage, monkeypatch):
    subject = small_stage.register()
    events = small_stage.act(subject, "pay", "refund-part")
    _forget_deliveries(monkeypatch)

    small_stage.deliver([*events, *events, *events])
    small_stage.finish()

    assert small_stage.count() == 3 * len(events)
    with small_stage.app.app_context():
        assert len(db.session.scalars(select(Entry).where(Entry.kind == "refund")).all()) == 1


def test_without_the_business_key_two_events_of_one_fact_count_twice(small_stage, monkeypatch):
    """Stripe may tell one fact by two events; the inbox's key cannot help there."""
    subject = small_stage.register()
    events = small_stage.act(subject, "pay", "refund-part")
    again = [{**event, "id": f"{event['id']}-again", "type": "refund.updated"} for event in events[1:2]]
    _forget_keys(monkeypatch)

    small_stage.deliver([*events, *again])
    small_stage.finish()

    with small_stage.app.app_context():
        assert len(db.session.scalars(select(Entry).where(Entry.kind == "refund")).all()) == 2


def _forget_keys(monkeypatch):
    """Each posting gets a key of its own: the business key is gone."""
    from itertools import count

    numbers, real = count(1), book.post

    def post(uow, draft):
        from dataclasses import replace

        return real(uow, replace(draft, key=f"{draft.key}-{next(numbers)}"))

    monkeypatch.setattr(book, "post", post)


def _forget_deliveries(monkeypatch):
    """Each delivery is stored as an event of its own: the inbox's key is gone."""
    from dataclasses import replace
    from itertools import count

    numbers, real = count(1), store_inbox.receive

    def receive(uow, *, arrival):
        return real(uow, arrival=replace(arrival, event_id=f"{arrival.event_id}-{next(numbers)}"))

    monkeypatch.setattr("tests.payments.stage.receive", receive)
