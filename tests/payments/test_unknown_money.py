"""Money that comes in for nothing of ours is found, waits to be explained, and then stands before people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.gateways.sandbox import stripe_objects
from portal.ledger.audit import warnings
from portal.models import Inbox
from portal.payments import sweeping

STRANGE = "money came in at Stripe for nothing that we know, and did not go back"
SESSION = {"currency": "usd", "customer": None, "metadata": {}}


def somebody_pays(stage, intent: str = "pi_strange") -> None:
    """A charge that no page of ours asked for."""
    made = stripe_objects.new_charge(SESSION, intent, cents=12_00, now=stage.play.now())
    with stage.play.store.writing() as books:
        for kind, thing in zip(("payment_intent", "charge"), made, strict=True):
            books.save(kind, thing)


def look(stage, stripe) -> int:
    with stage.app.app_context():
        return sweeping.sweep_charges(stripe, live_only=False, clock=stage.clock)


def named(stage) -> list[str]:
    return [w.invariant for w in stage.read(lambda session: warnings(session(), now=stage.now[0]))]


@pytest.fixture
def strange(small_stage):
    """A strange payment of an hour ago, beside one of ours."""
    small_stage.deliver(small_stage.act(small_stage.order(), "pay"))
    small_stage.drain()
    somebody_pays(small_stage)
    small_stage.now[0] += timedelta(hours=1, seconds=1)
    return small_stage


def test_it_is_found_once_given_up_and_named(strange, stripe):
    assert [look(strange, stripe), look(strange, stripe)] == [1, 0]
    strange.drain()
    assert strange.count(Inbox.kind == "charge.succeeded", Inbox.state == "retry") == 1
    assert STRANGE not in named(strange)

    strange.finish()

    assert strange.count(Inbox.kind == "charge.succeeded", Inbox.state == "dead") == 1
    assert STRANGE in named(strange)
    assert strange.faults() == []


def test_without_the_look_nobody_learns_of_it(strange):
    strange.finish()

    assert strange.count(Inbox.kind == "charge.succeeded") == 0
    assert STRANGE not in named(strange)


def test_what_is_young_may_still_be_explained_and_is_left_alone(small_stage, stripe):
    somebody_pays(small_stage)

    assert look(small_stage, stripe) == 0


@pytest.mark.parametrize("given_up", [False, True])
def test_a_payment_of_ours_that_is_told_late_is_no_stranger(small_stage, stripe, given_up):
    subject = small_stage.order()
    events = small_stage.act(subject, "pay")
    small_stage.now[0] += timedelta(hours=2)
    assert look(small_stage, stripe) == 1
    small_stage.drain()
    if given_up:
        small_stage.finish()
        assert STRANGE in named(small_stage)

    small_stage.deliver(events)
    small_stage.finish()

    assert small_stage.count(Inbox.kind == "charge.succeeded", Inbox.state == "ignored") == 1
    assert STRANGE not in named(small_stage)


def test_what_was_given_back_is_named_no_more(strange, stripe):
    look(strange, stripe)
    strange.finish()
    with strange.play.store.writing() as books:
        charge = next(c for c in books.newest("charge") if c["payment_intent"] == "pi_strange")
        strange.play.tell(books, "charge.refunded", {**charge, "refunded": True})

    strange.deliver(strange.news())
    strange.drain()

    assert STRANGE not in named(strange)


def test_a_webhook_of_it_is_treated_the_same(small_stage):
    somebody_pays(small_stage)
    with small_stage.play.store.writing() as books:
        small_stage.play.tell(books, "charge.succeeded", books.newest("charge")[0])
    small_stage.deliver(small_stage.news())

    small_stage.finish()

    assert STRANGE in named(small_stage)
