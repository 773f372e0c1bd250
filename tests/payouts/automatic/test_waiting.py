"""No payout waits for ever, nor for another: after a week people look; a fault stays where it is."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import select, update

from jobs.work import QUEUES, WORKS
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.models import Destination, PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts import service
from portal.payouts.automatic import claiming
from portal.payouts.automatic.patience import Patience
from tests.payouts.automatic.test_states import CREATE, change, claim


@pytest.fixture
def database(sqlite_database):
    """The rules are the same on both engines."""
    return sqlite_database


def test_what_waits_for_a_week_is_for_people(show):
    (one,) = show.queue()
    change(show, Destination, ready=False)

    show.settle(days=6.9)
    assert show.state(one) == "queued"
    show.settle(days=0.3)

    assert show.state(one) == "review"


def reject(show, cast, one):
    named = {"withdrawal_id": one, "actor_id": cast.fin, "reason": "It cannot be sent."}
    show.do(lambda uow: service.reject(uow, **named) and None)


def test_what_waits_can_be_refused_while_the_provider_was_not_asked(show, cast):
    one, put_off, lost = show.queue(3, people=3)
    change(show, Destination, ready=False)
    reject(show, cast, one)
    change(show, Destination, ready=True)
    show.order(CREATE, "429", "drop_after")
    show.drain()
    reject(show, cast, put_off)
    again = update(Withdrawal).where(Withdrawal.id == lost)
    show.do(lambda uow: uow.session.execute(again.values(state="queued", next_at=uow.clock())))

    with pytest.raises(Conflict):
        reject(show, cast, lost)
    assert show.states() == {"rejected": 2, "queued": 1}


def test_what_a_provider_puts_off_for_a_week_is_for_people(show):
    (one,) = show.queue()
    show.order(CREATE, *["429"] * 20)
    show.drain()
    assert show.state(one) == "queued"
    show.later(days=7)

    show.drain()

    assert show.state(one) == "review"
    assert show.attempts(one)[-1][1] == "retry_later"


def test_a_payout_that_is_being_sent_without_an_attempt_keeps_nobody_waiting(show):
    odd, dead = show.queue(2, people=2)
    show.do(
        lambda uow: uow.session.execute(
            update(Withdrawal).where(Withdrawal.id == odd).values(state="sending", next_at=uow.clock())
        )
    )
    claim(show)
    show.later(seconds=61)

    assert show.do(claiming.recover, patience=Patience()) == 2
    assert (show.state(odd), show.state(dead)) == ("review", "resolving")


def test_a_fault_with_one_provider_keeps_no_other_waiting(show, monkeypatch):
    (stripe,) = show.queue()
    (http,) = show.queue(kind="http")
    change(show, PayoutMethod, settings="[")

    show.drain()

    assert (show.state(http), show.state(stripe)) == ("queued", "sent")


def test_the_prints_of_orders_tell_no_account_number(show):
    show.queue()
    order = claim(show).order
    content = [order.group, order.amount_cents, order.currency, order.destination, dict(order.details)]
    plain = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    with show.app.app_context():
        kept = db.session.scalars(select(PayoutAttempt.request_sha256)).one()
        assert kept == order.fingerprint() != plain


def test_calls_to_providers_have_a_queue_of_their_own():
    shared = {name for name, work in WORKS.items() if work.queue == WORKS["payout-sending"].queue}

    assert shared == {"payout-sending", "payout-match"}
    assert WORKS["payout-sending"].queue in QUEUES
