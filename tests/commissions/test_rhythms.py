"""Days, weeks and months in the company's zone: no gap over clock changes and the ends of years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.commissions import cycles, weeks
from portal.commissions.rhythms import Wish, decide_rhythm, plan_disagrees
from portal.extensions import db
from portal.kernel.errors import BadInput
from portal.models import Cycle
from portal.store import perform
from tests.commissions.closes import ZONE

DENVER = ZoneInfo("America/Denver")
BERLIN = ZoneInfo("Europe/Berlin")
WHY = "Customers asked to be paid sooner"
RHYTHMS = ("day", "week", "month")
instants = st.integers(min_value=1_700_000_000, max_value=2_020_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@given(st.sampled_from(RHYTHMS), instants, st.sampled_from([DENVER, BERLIN]))
def test_every_instant_lies_in_one_cycle_and_the_next_begins_where_it_ends(rhythm, instant, zone):
    here = weeks.cycle_of(rhythm, instant, zone)
    following = weeks.cycle_from(rhythm, here.until, zone)

    assert here.starts_at <= instant < here.until == following.starts_at
    assert weeks.cycle_of(rhythm, here.until, zone) == following
    assert here.name < following.name and len(here.name) <= 16
    for edge in (here.starts_at, here.until):
        assert edge.astimezone(zone).time().isoformat() == "00:00:00"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (DENVER, date(2026, 3, 8), 23),
        (DENVER, date(2026, 11, 1), 25),
        (DENVER, date(2026, 11, 2), 24),
        (BERLIN, date(2026, 3, 29), 23),
        (BERLIN, date(2026, 10, 25), 25),
    ],
)
def test_the_days_of_clock_changes_have_23_and_25_hours(zone, day, hours):
    start = weeks.midnight(day, zone)
    for hour in range(hours):
        assert weeks.cycle_of("day", start + timedelta(hours=hour, minutes=59), zone).name == day.isoformat()
    assert weeks.cycle_of("day", start, zone).until - start == timedelta(hours=hours)
    in_week = weeks.cycle_of("week", start, zone)
    assert in_week.until - in_week.starts_at == timedelta(days=7, hours=hours - 24)


@pytest.mark.parametrize(
    ("rhythm", "day", "name", "until"),
    [
        ("week", date(2026, 12, 31), "2026-W53", date(2027, 1, 4)),
        ("week", date(2027, 1, 3), "2026-W53", date(2027, 1, 4)),
        ("week", date(2024, 12, 30), "2025-W01", date(2025, 1, 6)),
        ("month", date(2028, 2, 29), "2028-02", date(2028, 3, 1)),
        ("month", date(2026, 12, 31), "2026-12", date(2027, 1, 1)),
        ("day", date(2026, 12, 31), "2026-12-31", date(2027, 1, 1)),
    ],
)
def test_year_ends_leap_days_and_week_53(rhythm, day, name, until):
    found = weeks.cycle_of(rhythm, weeks.midnight(day, DENVER), DENVER)
    assert (found.name, found.until) == (name, weeks.midnight(until, DENVER))


def test_a_decided_rhythm_holds_for_the_cycles_that_start_after_it(app, cast):
    with app.app_context():
        until = db.session.get_one(Cycle, cast.cycle).until
        monday = until.astimezone(ZONE).date()
        decide = partial(decide_rhythm, zone=ZONE, actor_id=cast.ada)
        perform(partial(decide, wish=Wish("day", monday, WHY)))
        later = lambda: until + timedelta(days=3)  # noqa: E731
        while perform(lambda uow: cycles.end_if_due(uow, zone=ZONE), later) is not None:
            pass

        found = db.session.execute(select(Cycle.rhythm, Cycle.name).order_by(Cycle.starts_at)).all()
        assert [rhythm for rhythm, _ in found] == ["week"] + ["day"] * 4
        assert [name for _, name in found][1:] == [str(monday + timedelta(days=each)) for each in range(4)]


def test_no_rhythm_is_decided_for_what_has_begun_or_for_a_day_on_which_it_cannot_begin(app, cast):
    with app.app_context():
        begun = db.session.get_one(Cycle, cast.cycle).starts_at.astimezone(ZONE).date()
        for rhythm, first_day, words in (
            ("day", begun, "has begun"),
            ("week", begun + timedelta(days=8), "Monday"),
            ("month", (begun + timedelta(days=40)).replace(day=2), "first day"),
        ):
            with pytest.raises(BadInput, match=words):
                wish = Wish(rhythm, first_day, WHY)
                perform(partial(decide_rhythm, wish=wish, zone=ZONE, actor_id=cast.ada))


def test_a_plan_for_another_length_is_warned_of():
    assert plan_disagrees({"cycle": "weekly"}, "week") == ""
    assert "weekly" in plan_disagrees({"cycle": "weekly"}, "day")
