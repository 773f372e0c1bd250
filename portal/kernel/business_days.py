"""Business days as 16 CFR 429 counts them: every day but Sundays and federal holidays; Saturday counts.

Holidays are those of 5 U.S.C. 6103(a), computed for any year. One that falls on a weekend is also kept on
the Friday before or the Monday after (6103(b), Executive Order 11582). The rule does not say which of the two
days it means, so neither counts: a hold is rather a day too long than a day too short. Inauguration Day is a
holiday around Washington alone and is not among them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
LAST = -1
_DAY = timedelta(days=1)

# (month, day, first year that keeps it)
_FIXED = ((1, 1, 1), (6, 19, 2021), (7, 4, 1), (11, 11, 1), (12, 25, 1))
# (month, weekday, which one of the month, first year that keeps it)
_MOVING = (
    (1, MONDAY, 3, 1986),
    (2, MONDAY, 3, 1),
    (5, MONDAY, LAST, 1),
    (9, MONDAY, 1, 1),
    (10, MONDAY, 2, 1),
    (11, THURSDAY, 4, 1),
)


@lru_cache(maxsize=64)
def federal_holidays(year: int) -> frozenset[date]:
    """Every day of `year` on which a federal holiday lies or is observed, as the law of today keeps them."""
    named = {day for near in (year - 1, year, year + 1) if 1 <= near <= 9999 for day in _named(near)}
    return frozenset(day for day in named | {_observed(day) for day in named} if day.year == year)


def is_business_day(day: date) -> bool:
    """Whether the day counts: neither a Sunday nor a federal holiday."""
    return day.weekday() != SUNDAY and day not in federal_holidays(day.year)


def after_business_days(day: date, number: int) -> date:
    """The last of `number` business days after `day`; `day` itself when the number is 0."""
    while number > 0:
        day += _DAY
        number -= is_business_day(day)
    return day


def _named(year: int) -> list[date]:
    fixed = [date(year, month, day) for month, day, since in _FIXED if year >= since]
    moving = [_nth(year, month, weekday, which) for month, weekday, which, since in _MOVING if year >= since]
    return fixed + moving


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    if which == LAST:
        first_after = date(year, month + 1, 1)
        back = (first_after.weekday() - weekday - 1) % 7 + 1
        return first_after - back * _DAY
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (which - 1)) * _DAY


def _observed(day: date) -> date:
    if day.weekday() == SATURDAY and day > date.min:
        return day - _DAY
    return day + _DAY if day.weekday() == SUNDAY and day < date.max else day
