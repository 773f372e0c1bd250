"""A worker of its own, killed in the midst, tells calm, failing and dead addresses; two never tell the same.

The same at full size: `make soak SOAK=webhooks`.
"""

from __future__ import annotations

import random
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import func, select, update

from jobs import webhooks
from jobs.webhooks import AT_ONCE
from jobs.work import poke
from portal.extensions import db
from portal.integrations import deliveries
from portal.integrations.deliveries import MOST_TRIES
from portal.models import WebhookDelivery, WebhookEndpoint
from portal.store import perform
from tests.conftest import environment
from tests.people import invite_cast
from tests.processes import end, running, wait_until
from tests.services import require_redis
from tools.soak.webhooks import address
from tools.soak.webhooks_judge import judged
from tools.soak.webhooks_receiver import Receiver, listening

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
PATIENCE = 60
MESSAGES = 8
ADDRESSES = ("calm-0", "calm-1", "failing-0", "dead-0")


@pytest.fixture
def settings(postgresql_database, tmp_path):
    more = {"REDIS_URL": require_redis(), "CANOPY_WEBHOOKS_TO_LOOPBACK": "on"}
    Redis.from_url(more["REDIS_URL"]).flushdb()
    return environment(postgresql_database, tmp_path / "instance", **more)


@pytest.fixture
def told(settings, postgresql_database, make_app):
    """The receiver, with messages waiting for each of its addresses."""
    app = make_app(postgresql_database, REDIS_URL=settings["REDIS_URL"], CANOPY_WEBHOOKS_TO_LOOPBACK="on")
    with app.app_context(), listening(Receiver(random.Random(1), 50, silence=0.3)) as receiver:
        invite_cast(app)
        for name in ADDRESSES:
            perform(lambda uow, name=name: address(uow, receiver, name))
        perform(write_messages)
        yield receiver
        db.session.rollback()


def write_messages(uow, most=MESSAGES):
    for number in range(most):
        for each in uow.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id)).all():
            deliveries.write(uow, each, kind="sale.recorded", key=f"{number}", data={"number": number})


def go_on():
    """Send what is due, with the pauses and the lease of the killed worker over."""
    waiting = update(WebhookDelivery).where(WebhookDelivery.state.in_(("new", "retry")))
    perform(lambda uow: uow.session.execute(waiting.values(next_at=uow.clock(), lease_until=None)) and None)
    webhooks.drain()


def open_messages():
    """How many wait for addresses that live."""
    waiting = select(func.count()).select_from(WebhookDelivery).join(WebhookDelivery.endpoint)
    waiting = waiting.where(
        WebhookDelivery.state.in_(("new", "retry")), ~WebhookEndpoint.url.contains("/dead")
    )
    found = db.session.scalar(waiting)
    db.session.rollback()
    return found


def test_whoever_lives_is_told_everything_in_order_and_signed(settings, told):
    with running(settings, "jobs.worker", "webhooks") as worker:
        poke("webhooks")
        wait_until(lambda: len(told.calls) >= MESSAGES, seconds=PATIENCE, what="the first messages")
        end(worker, signal.SIGKILL)
    assert open_messages() > 0, "killed in the midst"
    for _ in range(MOST_TRIES):
        go_on()
    assert open_messages() == 0

    found = judge(told)
    assert found["faults"] == []
    assert found["messages"] == MESSAGES * len(ADDRESSES) and found["not taken"] > 0
    again = next(call for call in told.calls if call.address == "calm-0")
    told.calls += [again] * (AT_ONCE + 1)
    assert len(judge(told)["faults"]) == 1, "the judge sees what came too often"
    told.calls[:] = [call for call in told.calls if call is not again]
    assert len(judge(told)["faults"]) == 1, "and what is missing"
    told.calls.append(replace(again, address="calm-1"))
    assert len(judge(told)["faults"]) > 1, "and what was meant for somebody else"
    told.calls[:] = told.calls[-2::-1]
    assert len(judge(told)["faults"]) > 2, "and what is out of order"


def judge(told):
    """What the judge finds after one kill."""
    return judged(db.session(), told, most_twice=AT_ONCE, parts={})


def test_two_workers_never_send_to_one_address_at_once(postgresql_database, make_app):
    app = make_app(postgresql_database, CANOPY_WEBHOOKS_TO_LOOPBACK="on")
    invite_cast(app)

    def now(work, *more, **named):
        with app.app_context():
            return perform(lambda uow: work(uow, *more, **named))

    def first_worker(uow):
        mine = deliveries.claim_some(uow, most=8, unsure=4)
        with ThreadPoolExecutor() as beside:
            beside.submit(now, due_in, hours=-1).result()
            return mine, beside.submit(now, deliveries.claim_some, most=8, unsure=4).result()

    now(address, Receiver(random.Random(1), 0), "calm-0")
    now(write_messages, 2)
    now(due_in, hours=1)
    mine, theirs = now(first_worker)

    assert (len(mine), theirs) == (1, []), "what became due a moment before the commit waits too"
    assert now(deliveries.claim_some, most=8, unsure=4) == []


def due_in(uow, hours):
    """The first message is due in so many hours, whoever holds the others."""
    first = select(func.min(WebhookDelivery.id)).scalar_subquery()
    later = update(WebhookDelivery).where(WebhookDelivery.id == first)
    uow.session.execute(later.values(next_at=uow.clock() + timedelta(hours=hours)))
