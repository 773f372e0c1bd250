"""Reminders go out 60, 30 and 7 days before and on the day, each once, whatever else a person asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from jobs import licences as jobs
from jobs import mail
from jobs.schedule import DUTIES
from jobs.work import WORKS
from portal.compliance import reminders
from portal.kernel.clock import utc_now
from portal.messages import sending
from portal.messages.kinds import is_promotional
from portal.models import Licence, Message

LAST = date(2027, 3, 31)


@pytest.fixture
def on(do):
    """The steps of which somebody is reminded on a day so long before the end."""

    def run(days):
        steps = []
        while due := do(reminders.take_next, today=LAST - timedelta(days=days)):
            steps.append(due.step)
        return steps

    return run


def test_each_step_comes_once_however_often_somebody_looks(vera, licensed, on):
    licensed(last=LAST)

    assert [on(60), on(60), on(59), on(30), on(29), on(7), on(7), on(0), on(0), on(-1)] == [
        *([60], [], [], [30], [], [7], [], [0], [], []),
    ]


def test_the_steps_in_their_order(vera, licensed, on):
    licensed(last=LAST)
    told = {day: on(day) for day in range(90, -20, -1)}

    assert {day: steps for day, steps in told.items() if steps} == {60: [60], 30: [30], 7: [7], 0: [0]}


def test_where_nobody_looked_for_weeks_only_the_nearest_step_is_told(vera, licensed, on):
    licensed(last=LAST)

    assert [on(50), on(5), on(-2), on(-9)] == [[60], [7], [0], []]


def test_what_is_long_over_is_not_told_at_all(vera, licensed, on):
    licensed(last=LAST)

    assert on(-8) == []


def test_a_licence_that_is_renewed_or_not_verified_asks_for_none(vera, licensed, on):
    licensed(last=LAST)
    licensed(first=LAST + timedelta(days=1), last=LAST + timedelta(days=700), number="77")
    licensed(last=LAST, region="NV", verify=False)

    assert on(30) == []


def test_a_gap_behind_it_is_told(vera, licensed, on):
    licensed(last=LAST)
    licensed(first=LAST + timedelta(days=2), last=LAST + timedelta(days=700), number="77")

    assert on(30) == [30]


def test_the_job_writes_a_mail_that_is_about_own_business(app, vera, licensed, do):
    soon = utc_now().date() + timedelta(days=5)
    licensed(first=date(2026, 1, 1), last=soon)
    with app.app_context():
        assert (jobs.remind(), jobs.remind()) == (1, 0)
        template = do(lambda uow: uow.session.scalars(select(Message.template)).one())
        claimed = do(lambda uow: sending.claim_next(uow, repeat_within=timedelta(hours=1)))
        composed = mail.compose(claimed)

    assert template == "licence_ends" and not is_promotional("licence_ends")
    assert composed.subject.startswith("Your solar licence for California expires on ")
    assert "5 more days" in composed.text and "earn nothing" in composed.text
    assert do(lambda uow: uow.session.scalars(select(Licence.reminded_days)).one()) == 7


def test_the_relay_looks_every_hour(app):
    assert DUTIES["licence-reminders"] == 3600
    assert WORKS["licence-reminders"].function == "jobs.licences.remind"
