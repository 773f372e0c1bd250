"""A day is read as it is written, and nothing else is taken for one."""

from __future__ import annotations

from datetime import date

import pytest

from portal.kernel.days import parse_day
from portal.kernel.errors import BadInput


@pytest.mark.parametrize("text", ["2026-11-22", " 2026-11-22\t"])
def test_a_day_is_read_with_blanks_around_it(text):
    assert parse_day(text) == date(2026, 11, 22)


@pytest.mark.parametrize(
    "text", ["", "22.11.2026", "11/22/2026", "2026-11-31", "2026-11-22T08:30:00Z", "2026-1-2"]
)
def test_what_is_no_day_says_how_one_is_written(text):
    with pytest.raises(BadInput, match="a day is written as 2026-11-22"):
        parse_day(text)
