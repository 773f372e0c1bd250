"""A worker of its own, killed in the midst, tells calm, failing and dead addresses: nothing is lost.

The same at full size: `make soak SOAK=webhooks`.
"""

from __future__ import annotations

import random
import signal

import pytest
from redis import Redis
from sqlalchemy import func, select, update

from jobs.work import poke
from portal.extensions import db, redis
from portal.integrations import deliveries
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
PATIENCE = 120
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


def write_messages(uow):
    for number in range(MESSAGES):
        for each in uow.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id)).all():
            deliveries.write(uow, each, kind="sale.recorded", key=f"{number}", data={"number": number})


def hurry():
    """Let the pauses and the lease of a killed worker be over."""
    now = func.now()
    waiting = update(WebhookDelivery).where(WebhookDelivery.state == "retry").values(next_at=now)
    perform(lambda uow: uow.session.execute(waiting) and None)
    redis.client.delete("canopy:waiting:webhooks")
    poke("webhooks")


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
    over = update(WebhookDelivery).values(lease_until=None)
    perform(lambda uow: uow.session.execute(over) and None)
    assert open_messages() > 0, "killed in the midst"

    with running(settings, "jobs.worker", "webhooks"):
        wait_until(lambda: hurry() or open_messages() == 0, seconds=PATIENCE, what="the rest")

    found = judged(db.session(), told)
    assert found["faults"] == []
    assert found["messages"] == MESSAGES * len(ADDRESSES) and found["not taken"] > 0
    told.calls.remove(next(call for call in told.calls if call.address == "calm-0" and call.taken))
    assert len(judged(db.session(), told)["faults"]) == 1, "the judge sees what is missing"
    told.calls.reverse()
    assert len(judged(db.session(), told)["faults"]) > 1, "and what is out of order"
