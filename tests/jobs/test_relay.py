"""Facts become tasks, tasks are done once, a lost Redis costs one look."""

from __future__ import annotations

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import select

from jobs import reactions, relay, work
from jobs.handlers import HANDLERS
from portal.commissions import projection
from portal.extensions import db, redis
from portal.kernel.clock import utc_now
from portal.kernel.facts import ConsultantPlaced, ConsultantRegistered
from portal.models import Audit, Message, Task
from portal.store import perform
from tests.shop import add_sale


def burst(app, *queues):
    with app.app_context():
        workers = SimpleWorker(
            [work.queue(name) for name in queues or work.QUEUES],
            connection=redis.client,
            serializer=JSONSerializer,
        )
        workers.work(burst=True, logging_level="ERROR")


def test_a_fact_becomes_one_task_for_each_handler_and_is_carried_once(app, cast):
    with app.app_context():
        perform(lambda uow: uow.publish(ConsultantRegistered(cast.ben)))
        assert relay.carry() == 1
        assert relay.carry() == 0
        handlers = [task.handler for task in db.session.scalars(select(Task).order_by(Task.id))]
        told = {"jobs.webhooks.consultant_registered"}
        assert handlers == [each for each in HANDLERS["consultant.registered"] if each not in told]


def test_a_reaction_is_done_once_however_often_the_queue_is_woken(app, cast):
    with app.app_context():
        perform(lambda uow: uow.publish(ConsultantRegistered(cast.ben)))
        relay.carry()
        reactions.drain_mail()
        reactions.drain_mail()
        assert len(db.session.scalars(select(Message)).all()) == 1
        assert db.session.scalars(select(Task.state).where(Task.queue == "mail")).all() == ["done"]


def test_a_broken_reaction_waits_and_the_ones_behind_it_go_on(app, cast):
    with app.app_context():
        perform(lambda uow: uow.publish(ConsultantRegistered(999_999)))
        perform(lambda uow: uow.publish(ConsultantRegistered(cast.ben)))
        relay.carry()
        reactions.drain_mail()
        of_mail = select(Task).where(Task.queue == "mail")
        broken, fine = db.session.scalars(of_mail.order_by(Task.id)).all()
        assert (broken.state, fine.state) == ("retry", "done")
        assert broken.last_error and broken.next_at > utc_now()


def test_sales_ask_for_one_recalculation_and_the_projection_shows_them(app, cast):
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=1_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 250_00, revenue=1_000_00))
        relay.carry()
        relay.look()
        assert work.queue("recalculate").count == 1
    burst(app, "recalculate")
    ana = projection.read(cast.ana)
    assert (ana.left, ana.right, ana.matched, ana.binary, ana.direct) == (
        400_00,
        250_00,
        250_00,
        25_00,
        26_00,
    )
    assert (ana.people_left, ana.people_right) == (1, 1)
    assert not projection.is_behind()


def test_losing_redis_loses_nothing(app, cast):
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 400_00))
        perform(lambda uow: uow.publish(ConsultantRegistered(cast.ben)))
        relay.carry()
        relay.look()
        redis.client.flushdb()
        assert projection.read(cast.ana) is None
        relay.look()
    burst(app, "recalculate", "mail", "money")
    assert projection.read(cast.ana).left == 400_00
    with app.app_context():
        assert set(db.session.scalars(select(Task.state))) == {"done"}


def test_a_second_wake_up_is_queued_only_after_the_first_has_started(app, cast):
    with app.app_context():
        work.poke("inbox")
        work.poke("inbox")
        assert work.queue("money").count == 1
    burst(app, "money")
    with app.app_context():
        work.poke("inbox")
        assert work.queue("money").count == 1


def test_a_fact_nobody_reacts_to_is_carried_too(app, cast):
    with app.app_context():
        perform(lambda uow: uow.publish(ConsultantPlaced(1)))
        assert relay.carry() == 1
        assert db.session.scalars(select(Task)).all() == []


@pytest.mark.parametrize("name", sorted(work.WORKS))
def test_every_work_names_a_function_that_is_there(app, name):
    module, _, function = work.WORKS[name].function.rpartition(".")
    assert callable(getattr(__import__(module, fromlist=[function]), function))
    assert work.WORKS[name].queue in work.QUEUES


def test_an_audit_note_is_written_with_the_change(app, cast):
    with app.app_context():
        perform(lambda uow: uow.note("test", thing="nothing", thing_id=1, actor_id=cast.ada, count=2))
        assert db.session.scalars(select(Audit.detail)).all() == [{"count": 2}]
