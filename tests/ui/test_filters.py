"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.kernel.clock import utc_now
from portal.ui import filters

NOON = datetime(2026, 11, 16, 19, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_a_request(small_app):
    with small_app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (123450, "$1,234.50"),
        (-1200, "−$12.00"),
        (100_000_000_00, "$100,000,000.00"),
    ],
)
def test_money_is_never_rounded(cents, text):
    assert filters.money(cents) == text


def test_a_change_carries_its_sign():
    assert [filters.signed_money(cents) for cents in (1200, 0, -1200)] == ["+$12.00", "$0.00", "−$12.00"]


@pytest.mark.parametrize("cents", [0, 9, 128460, -128460])
def test_the_large_figure_is_the_amount_in_two_parts(cents):
    assert filters.dollars(cents) + filters.pennies(cents) == filters.money(cents)


def test_volume_shows_hundredths_only_where_there_are_some():
    assert [filters.volume(points) for points in (1296500, 1296550, -50)] == ["12,965", "12,965.50", "−0.50"]


def test_rates_and_sizes_are_written_without_spare_zeros():
    assert [filters.percent(rate) for rate in (800, 1250, 10000, 5)] == ["8%", "12.5%", "100%", "0.05%"]
    assert [filters.kilowatts(size) for size in (8400, 12000, 7125)] == ["8.4 kW", "12 kW", "7.125 kW"]


def test_an_instant_is_told_in_the_company_s_zone_which_is_named():
    assert filters.moment(NOON) == "Nov 16, 2026, 12:00 PM MST"
    assert filters.moment(NOON - timedelta(days=120)) == "Jul 19, 2026, 1:00 PM MDT"
    assert filters.day(datetime(2026, 11, 16, 3, tzinfo=UTC)) == "Nov 15, 2026"


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=6, seconds=1), "6 min ago"),
        (timedelta(hours=2, seconds=1), "2 h ago"),
        (timedelta(days=1, seconds=1), "1 day ago"),
        (timedelta(days=3, seconds=1), "3 days ago"),
    ],
)
def test_ago_grows_coarser_with_time(passed, text):
    assert filters.ago(utc_now() - passed) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=2, hours=4, minutes=1), "2 days 4 hours"),
        (timedelta(days=1, minutes=1), "1 day"),
        (timedelta(hours=1, minutes=1), "1 hour"),
        (timedelta(minutes=35, seconds=30), "35 minutes"),
        (timedelta(days=-1), "0 minutes"),
    ],
)
def test_until_tells_what_is_left(left, text):
    assert filters.until(utc_now() + left) == text


def test_names_shrink_to_what_strangers_may_see():
    names = ["Maya Torres", "Cher", "Ana de la Cruz", ""]

    assert [filters.initials(name) for name in names] == ["MT", "C", "AC", ""]
    assert [filters.brief_name(name) for name in names] == ["Maya T.", "Cher", "Ana C.", ""]


def test_bars_reach_the_top_once_and_small_ones_stay_visible():
    assert filters.bar_heights([0, 1, 500, 1000]) == [1, 3, 50, 100]
    assert filters.bar_heights([0, 0]) == [1, 1]
    assert filters.bar_heights([]) == []


def test_units_have_a_plural_and_symbols_have_none():
    many = {
        "camera": "cameras",
        "battery": "batteries",
        "gas switch": "gas switches",
        "square foot": "square feet",
        "panels": "panels",
        "kW": "kW",
        "kwh": "kwh",
        "kWh/day": "kWh/day",
        "day": "days",
        "glass": "glasses",
    }
    assert {unit: filters.units(unit) for unit in many} == many
    assert [filters.sized(size, "camera") for size in (1000, 2000, 1500)] == [
        "1 camera",
        "2 cameras",
        "1.5 cameras",
    ]
