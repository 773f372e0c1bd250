"""The page on which the length of cycles is decided: what holds, what follows, who said so."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from portal.commissions import cycles
from portal.commissions.plans.versions import add_plan
from portal.commissions.weeks import midnight
from portal.extensions import db
from portal.models import Cycle, CycleRhythm, PlanVersion
from portal.store import perform
from tests.commissions.closed import ZONE
from tests.html import Visitor
from tests.people import PASSWORD, PLAN

PATH = "/admin/cycles/rhythm"
WHY = "Customers asked to be paid sooner"


@pytest.fixture
def ada(app, cast):
    visitor = Visitor(app)
    visitor.sign_in("ada@example.com", PASSWORD)
    return visitor


def offered(visitor, rhythm):
    page = visitor.visit(f"{PATH}?to={rhythm}").text
    return re.findall(r'<option[^>]* value="(20[^"]+)"', page)


def decide(visitor, rhythm, *, start=0, reason=WHY):
    first_day = offered(visitor, rhythm)[start]
    return visitor.submit(PATH, {"rhythm": rhythm, "first_day": first_day, "reason": reason})


def capped(do, money):
    """The plan caps what the pack earns by matching, in dollars."""

    def write(uow):
        plan = uow.session.get_one(PlanVersion, 1)
        binary = plan.document["binary"] | {"cap": {"money": {"pack": money}}}
        plan.document = plan.document | {"binary": binary}

    do(write)


def agreed_to(do, *days):
    """Plans for these days, as two people agreed to them."""
    for day in days:
        do(add_plan, PLAN, valid_from=midnight(day, ZONE))


def mondays(first):
    """The second and the third Monday of a month, which a month removes as starts of cycles."""
    second = next(day for day in (first + timedelta(days=each) for each in range(7, 14)) if not day.weekday())
    return second, second + timedelta(days=7)


def ends(app):
    """The open cycle ends before its time; the rhythm and name of the next one."""
    with app.app_context():
        perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
        opened = db.session.query(Cycle).filter_by(state="open").one()
        return opened.rhythm, opened.name


def test_a_rhythm_is_decided_and_the_next_cycle_follows_it(app, ada, do):
    ada.visit("/admin/cycles")
    assert f'href="{PATH}"' in ada.page.text
    capped(do, "1000.00")
    ada.visit(f"{PATH}?to=day")
    assert "Now Weekly" in ada.words and "Then as now" in ada.words
    assert "A cap of $1,000.00 then holds for each day" in ada.words
    assert "Sales count for being active for 4 days." in ada.words
    assert "The pay plan is written for weekly cycles, but cycles will be daily." in ada.words

    assert decide(ada, "day").status_code == 303
    ada.follow()
    assert "Decided. Cycles that have begun stay as they are." in ada.words
    assert "Then Daily, from" in ada.words and "Comes Ada" in ada.words and WHY in ada.words

    rhythm, name = ends(app)
    assert (rhythm, len(name)) == ("day", len("2026-11-22"))
    ada.visit(PATH)
    assert "Now Daily" in ada.words and "Holds Ada" in ada.words


def test_a_decision_that_is_not_in_force_is_replaced_and_stays_in_the_list(app, ada):
    decide(ada, "day")
    ada.visit(f"{PATH}?to=month")
    assert "A new decision replaces the one that comes" in ada.words
    assert decide(ada, "month").status_code == 303
    ada.follow()

    assert "Then Monthly" in ada.words and "Replaced before its day" in ada.words
    assert decide(ada, "week").status_code == 303
    ada.follow()
    assert "Then Weekly" in ada.words
    assert ends(app)[0] == "week"
    with app.app_context():
        assert [row.replaced_at is None for row in db.session.query(CycleRhythm)] == [False, False, True]


def test_each_length_is_offered_from_the_cycles_that_it_can_shape(app, ada):
    days, months = offered(ada, "day"), offered(ada, "month")
    assert len(set(days)) == len(days) == 12
    assert all(day.endswith("-01") for day in months) and len(set(months)) == 12
    assert offered(ada, "week") == []
    assert "Cycles have this length, and nothing else is decided." in ada.words


def test_plans_whose_start_is_removed_are_named_before_and_after_the_decision(app, ada, do):
    month = date.fromisoformat(offered(ada, "month")[0])
    second, third = mondays(month)
    agreed_to(do, second, third)
    following = (month + timedelta(days=31)).replace(day=1)
    begins = f"begins with {following:%B %Y}, on {following:%b} 1, {following:%Y}."

    ada.visit(f"{PATH}?to=month")
    assert "Plans that were agreed to would begin later, or never" in ada.words
    never = (
        f"Version 2, Test plan was agreed to for {second:%b} {second.day}, {second:%Y}. It will never hold: "
        f"Version 3, Test plan begins with the same cycle, on {following:%b} 1, {following:%Y}."
    )
    assert never in ada.words and f"No cycle begins then; it {begins}" in ada.words
    assert "would begin later" not in (ada.visit(f"{PATH}?to=day") and ada.words)

    decide(ada, "month")
    ada.follow()
    assert "Plans that begin otherwise than they were agreed to" in ada.words and never in ada.words
    assert never in (ada.visit("/admin/plans") and ada.words)
    assert f"No cycle begins then; it {begins}" in (ada.visit("/admin/plans/3") and ada.words)
    while ends(app)[1] != f"{following:%Y-%m}":
        pass
    with app.app_context():
        assert db.session.query(Cycle).filter_by(state="open").one().plan_version_id == 3
    assert "never: another one took its place" in (ada.visit("/admin/plans") and ada.words)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"reason": "short"}, "Please write a reason of 10 to 500 letters."),
        ({"first_day": "2020-01-06"}, "Please choose one of these starts."),
        ({"first_day": "soon"}, "Please choose one of these starts."),
        ({"rhythm": "year"}, "Please choose days, weeks or months."),
    ],
)
def test_what_cannot_be_decided_is_said_and_changes_nothing(app, ada, sent, words):
    first_day = offered(ada, "day")[0]
    form = {"rhythm": "day", "first_day": first_day, "reason": WHY} | sent
    assert ada.submit(PATH, form).status_code == 422
    assert words in ada.words
    with app.app_context():
        assert db.session.query(CycleRhythm).count() == 0


def test_only_who_manages_cycles_may_look_at_it_and_decide(app, cast):
    for name, first in (("fin", "/admin/cycles"), ("ana", "/home")):
        visitor = Visitor(app)
        visitor.sign_in(f"{name}@example.com", PASSWORD)
        assert visitor.visit(PATH).status_code == 403
        assert f'href="{PATH}"' not in visitor.visit(first).text
        assert visitor.submit(PATH, {"rhythm": "day"}).status_code == 403


def test_a_decision_asks_for_a_fresh_password(app, ada, monkeypatch):
    monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)
    answer = decide(ada, "day")
    assert answer.status_code == 303 and "/confirm" in answer.location
    with app.app_context():
        assert db.session.query(CycleRhythm).count() == 0
