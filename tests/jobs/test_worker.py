"""The workers as they run in production: forking processes on a real Redis, killed and started again."""

from __future__ import annotations

import os
import signal

import pytest
from redis import Redis
from sqlalchemy import create_engine, text

from portal.extensions import db, redis
from portal.kernel.facts import ConsultantRegistered
from portal.store import perform
from tests.conftest import environment
from tests.people import invite_cast
from tests.processes import running, wait_until
from tests.services import require_redis
from tests.shop import add_sale

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
# How long processes may take to come up on a machine that does much else; a quiet one needs a few seconds.
PATIENCE = 120
# Processes of one `jobs.worker`: what forks, what calls providers, what stays warm, trials, and webhooks.
KINDS = 5


@pytest.fixture
def settings(postgresql_database, tmp_path):
    address = require_redis()
    Redis.from_url(address).flushdb()
    return environment(postgresql_database, tmp_path / "instance", REDIS_URL=address)


@pytest.fixture
def production(settings, postgresql_database, make_app):
    app = make_app(postgresql_database, REDIS_URL=settings["REDIS_URL"])
    with app.app_context():
        yield invite_cast(app)
        db.session.rollback()


def count(database, query):
    engine = create_engine(database.owner_url)
    with engine.connect() as connection:
        found = connection.execute(text(query)).scalar()
    engine.dispose()
    return found


def test_facts_are_worked_off_by_processes_of_their_own(settings, production, postgresql_database):
    with running(settings, "jobs.relay"), running(settings, "jobs.worker"):
        perform(lambda uow: add_sale(uow, production.ben, 400_00))
        perform(lambda uow: uow.publish(ConsultantRegistered(production.ben)))
        wait_until(lambda: redis.client.exists("canopy:projection"), what="the projection", seconds=PATIENCE)
        done = "SELECT count(*) FROM task WHERE state = 'done'"
        wait_until(lambda: count(postgresql_database, done) == 1, what="the reaction", seconds=PATIENCE)


def test_a_worker_that_is_killed_is_replaced_and_its_work_is_done(settings, production, postgresql_database):
    with running(settings, "jobs.relay"):
        with running(settings, "jobs.worker") as first:
            wait_until(
                lambda: redis.client.scard("rq:workers") == KINDS, what="all workers", seconds=PATIENCE
            )
            os.killpg(first.pid, signal.SIGKILL)
        perform(lambda uow: uow.publish(ConsultantRegistered(production.ben)))
        with running(settings, "jobs.worker"):
            done = "SELECT count(*) FROM task WHERE state = 'done'"
            wait_until(lambda: count(postgresql_database, done) == 1, what="the reaction", seconds=PATIENCE)
    assert count(postgresql_database, "SELECT count(*) FROM message") == 1


def test_a_worker_without_redis_says_why_it_does_not_start(settings):
    del settings["REDIS_URL"]
    with running(settings | {"REDIS_URL": ""}, "jobs.worker") as worker:
        assert worker.wait(timeout=20) == 1
