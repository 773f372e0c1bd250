"""P11, P17, P18 with processes as in production: killed by number, on PostgreSQL and Redis, judged apart."""

from __future__ import annotations

import argparse
import random
import time

import pytest
from sqlalchemy import text

from portal import create_app
from portal.extensions import db
from portal.kernel.facts import ConsultantRegistered
from portal.models import Consultant
from portal.store import perform
from tests import servers
from tests.conftest import environment
from tests.payouts.automatic.show import SOAK
from tests.processes import wait_until
from tests.services import require_redis
from tools.soak import payouts
from tools.soak.judge import judged
from tools.soak.people import queue_payouts
from tools.soak.stage import staged

PAYOUTS, KILLS, FLUSHES = 100 * SOAK, 3 * SOAK, 4 * SOAK
FACTS, CALLS_CUT_OFF = 200 * SOAK, 4 * SOAK
RESUMED_SECONDS, RECOVERED_SECONDS = 120, 60
PACE = 240
WAITING = "SELECT count(*) FROM outbox WHERE relayed_at IS NULL"
UNDONE = "SELECT count(*) FROM task WHERE state <> 'done'"

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


@pytest.fixture
def app(postgresql_database, make_app, tmp_path):
    """The application that fills the database; the processes have their own."""
    made = make_app(postgresql_database)
    made.config["SETTINGS"].instance.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def settings(postgresql_database, tmp_path):
    port = servers.free_port()
    return environment(
        postgresql_database,
        tmp_path / "instance",
        REDIS_URL=require_redis().replace("/0", "/5"),
        CANOPY_BIND=f"127.0.0.1:{port}",
        CANOPY_BASE_URL=f"http://127.0.0.1:{port}",
        CANOPY_PAYOUT_PACE=str(PACE),
    )


def chosen(**changes):
    plan = {"payouts": PAYOUTS, "faulty": 40, "kills": KILLS, "flushes": 0, "seed": 4, "seconds": 240}
    return argparse.Namespace(pace=PACE, nudge=True, **{**plan, **changes})


def prepared(settings, **more):
    made = create_app(settings)
    ids = queue_payouts(made, **more)
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    return made, ids


def test_p11_workers_are_killed_while_four_of_ten_calls_fail_and_each_payout_is_paid_once(
    app, settings, tmp_path
):
    figures = payouts.run(chosen(), settings, tmp_path)

    assert figures.faults == []
    assert (figures.judged["paid_once"], figures.kills) == (PAYOUTS, KILLS)


def test_p17_a_redis_that_forgets_everything_loses_nothing(app, settings, tmp_path):
    """Mails and payouts are under way while Redis is emptied again and again."""
    made, _ = prepared(settings, payouts=PAYOUTS, people=20)
    chance = random.Random(17)
    with made.app_context():
        people = list(db.session.query(Consultant.id).limit(20))
        for number in range(FACTS):
            fact = ConsultantRegistered(people[number % len(people)][0])
            perform(lambda uow, fact=fact: uow.publish(fact))
        db.session.remove()
        db.engine.dispose()
    with staged(settings, tmp_path, "relay", "worker-1") as stage:
        for _ in range(FLUSHES):
            time.sleep(chance.uniform(0.3, 1.0))
            stage.forget_redis()
        seconds = wait_until(
            lambda: stage.count(payouts.OPEN) + stage.count(UNDONE) == 0 and stage.count(WAITING) == 0,
            seconds=RECOVERED_SECONDS,
            what="the work after the last loss",
        )
        with stage.database() as engine:
            found = judged(engine, stage.sandbox_file)
            with engine.connect() as connection:
                tasks = connection.execute(text("SELECT count(*), count(DISTINCT outbox_id) FROM task")).one()

    assert found["faults"] == [] and found["paid_once"] == PAYOUTS
    assert tasks == (FACTS + PAYOUTS, FACTS + PAYOUTS)
    assert seconds < RECOVERED_SECONDS


def test_p18_the_work_of_killed_workers_is_resumed_and_done_once(app, settings, tmp_path):
    """Each kill takes a worker and the process that runs its job, in the middle of a call."""
    _, ids = prepared(settings, payouts=CALLS_CUT_OFF, people=CALLS_CUT_OFF)
    hide = "UPDATE withdrawal SET next_at = '2100-01-01' WHERE state = 'queued'"
    show = "UPDATE withdrawal SET next_at = now() WHERE id = {0}"
    taken, longest = "SELECT count(*) FROM withdrawal WHERE state = 'sending'", 0.0
    with staged(settings, tmp_path) as stage, stage.database() as engine:
        _execute(engine, hide)
        for name in ("relay", "worker-1", "worker-2"):
            stage.start(name)
        for number, one in enumerate(ids):
            stage.order_faults("stripe.transfers.create", [{"hang": 0.9}])
            _execute(engine, show.format(one))
            stage.nudge()
            wait_until(lambda: stage.count(taken) == 1, seconds=60, what="a call")
            for name in ("worker-1", "worker-2"):
                stage.kill(name)
            stage.order_faults("stripe.transfers.create", [])
            sent = f"SELECT count(*) FROM withdrawal WHERE state = 'sent' AND id = {one}"
            longest = max(
                longest,
                wait_until(
                    lambda sent=sent: stage.count(sent) == 1, seconds=RESUMED_SECONDS, what=f"{number}"
                ),
            )
        found = judged(engine, stage.sandbox_file)

    assert stage.kills == 2 * len(ids)
    assert found["faults"] == [] and found["paid_once"] == len(ids)
    assert longest < RESUMED_SECONDS


def _execute(engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))
