"""How far a job is: kept in Redis, gone without harm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.commissions.stages import Stages
from portal.extensions import redis
from portal.kernel.clock import utc_now
from portal.models import Run
from portal.store import progress

STEPS = ("freeze", "calculate", "post", "finish")


def test_a_job_is_as_far_as_its_last_report(sqlite_app):
    progress.report("cycle-7", step="freeze", steps=STEPS)
    began = progress.read("cycle-7").started_at
    progress.report("cycle-7", step="post", steps=STEPS, done=1, total=2)

    now = progress.read("cycle-7")
    assert (now.step, now.done, now.total, now.percent, now.started_at) == ("post", 1, 2, 62, began)
    progress.clear("cycle-7")
    assert progress.read("cycle-7") is None


def test_the_time_left_is_told_after_five_seconds_by_the_speed_so_far():
    began = utc_now() - timedelta(seconds=10)
    half = progress.Progress("post", STEPS, 0, 0, began)
    assert half.percent == 50 and half.seconds_left in (10, 11)
    early = progress.Progress("post", STEPS, 0, 0, utc_now() - timedelta(seconds=4))
    assert early.seconds_left is None
    assert progress.Progress("freeze", STEPS, 0, 0, began).seconds_left is None


def test_the_first_step_starts_the_clock_again_and_a_job_is_never_quite_done(sqlite_app):
    progress.report("cycle-7", step="finish", steps=STEPS, done=5, total=4)
    before = progress.read("cycle-7")
    progress.report("cycle-7", step="freeze", steps=STEPS)
    assert before.percent == 99
    assert progress.read("cycle-7").started_at > before.started_at


def test_a_step_that_is_none_is_a_fault(sqlite_app):
    with pytest.raises(ValueError, match="dance"):
        progress.report("cycle-7", step="dance", steps=STEPS)


def test_progress_that_redis_forgot_stops_nothing(sqlite_app):
    progress.report("cycle-7", step="freeze", steps=STEPS)
    redis.client.flushdb()
    assert progress.read("cycle-7") is None
    progress.report("cycle-7", step="post", steps=STEPS)
    assert progress.read("cycle-7").step == "post"


def test_a_step_of_a_cycle_tells_how_many_things_it_goes_through(sqlite_app):
    with Stages(7, "preview").at("read", total=9_418) as told:
        now = progress.read("cycle-7")
        told(4_709)
        then = progress.read("cycle-7")
    assert (now.step, now.total, now.percent) == ("read", 9_418, 0)
    assert (then.done, then.percent) == (4_709, 10)


def test_a_run_keeps_the_times_of_its_preview_apart_from_those_of_its_close(sqlite_app):
    run = Run()
    for work, steps in {"preview": ("read", "calculate"), "close": ("read", "book")}.items():
        for step in steps:
            going = Stages(7, work)
            with going.at(step):
                pass
            going.write_down(run)

    assert {work: list(took) for work, took in run.stages.items()} == {
        "preview": ["read", "calculate"],
        "close": ["read", "book"],
    }
