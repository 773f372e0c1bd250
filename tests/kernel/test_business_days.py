"""Business days of 16 CFR 429: known years to the day, and what holds for every date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.business_days import after_business_days, federal_holidays, is_business_day

DAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))


def days(year: int, *texts: str) -> frozenset[date]:
    return frozenset(date(year, *map(int, text.split("-"))) for text in texts)


# As the Office of Personnel Management lists them, with the day itself where another one is observed.
@pytest.mark.parametrize(
    ("year", "listed"),
    [
        (
            2020,
            days(
                2020, "1-1", "1-20", "2-17", "5-25", "7-3", "7-4", "9-7", "10-12", "11-11", "11-26", "12-25"
            ),
        ),
        (
            2021,
            days(
                2021,
                *("1-1", "1-18", "2-15", "5-31", "6-18", "6-19", "7-4", "7-5", "9-6", "10-11", "11-11"),
                *("11-25", "12-24", "12-25", "12-31"),
            ),
        ),
        (
            2026,
            days(
                2026,
                *("1-1", "1-19", "2-16", "5-25", "6-19", "7-3", "7-4", "9-7", "10-12", "11-11", "11-26"),
                "12-25",
            ),
        ),
    ],
)
def test_federal_holidays_are_those_of_the_calendar(year, listed):
    assert federal_holidays(year) == listed


def test_juneteenth_counts_from_2021():
    assert date(2020, 6, 19) not in federal_holidays(2020)
    assert date(2021, 6, 19) in federal_holidays(2021)


def test_new_year_kept_on_the_last_day_of_the_year_before_belongs_to_that_year():
    assert date(2021, 12, 31) in federal_holidays(2021)
    assert date(2022, 1, 1) in federal_holidays(2022)


@pytest.mark.parametrize(
    ("signed", "number", "last"),
    [
        ("2026-11-20", 3, "2026-11-24"),  # Friday: Saturday counts, Sunday does not
        ("2026-11-25", 3, "2026-11-30"),  # Thanksgiving and a Sunday lie between
        ("2026-11-25", 5, "2026-12-02"),
        ("2026-12-31", 3, "2027-01-05"),  # over a New Year
        ("2026-07-01", 3, "2026-07-07"),  # Independence Day on a Saturday: neither it nor the Friday counts
        ("2026-11-20", 0, "2026-11-20"),
    ],
)
def test_the_last_day_is_the_one_of_the_calendar(signed, number, last):
    assert after_business_days(date.fromisoformat(signed), number) == date.fromisoformat(last)


@given(DAYS, st.integers(1, 40))
def test_the_last_day_is_a_business_day_with_that_many_after_the_first(day, number):
    last = after_business_days(day, number)
    between = [day + timedelta(days=step) for step in range(1, (last - day).days + 1)]

    assert is_business_day(last)
    assert sum(is_business_day(each) for each in between) == number


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_days_add_up_and_later_signatures_never_end_earlier(day, first, second):
    last = after_business_days(day, first)

    assert after_business_days(last, second) == after_business_days(day, first + second)
    assert after_business_days(day + timedelta(days=1), first) >= last


@given(DAYS)
def test_no_sunday_counts_and_a_week_holds_at_least_three_that_do(day):
    week = [day + timedelta(days=step) for step in range(7)]

    assert not any(is_business_day(each) for each in week if each.weekday() == 6)
    assert sum(is_business_day(each) for each in week) >= 3


@given(st.integers(1990, 2200))
def test_every_year_has_its_holidays_and_no_more_than_their_observed_days(year):
    assert 10 <= len(federal_holidays(year)) <= 18
