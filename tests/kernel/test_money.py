"""Cents and hundredths: rounded, written and read without a float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.errors import BadInput
from portal.kernel.money import (
    format_money,
    format_volume,
    parse_money,
    parse_volume,
    round_half_away,
    share,
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1005, 10, 101),
        (1004, 10, 100),
        (-1005, 10, -101),
        (5, 10, 1),
        (-4, 10, 0),
        (41625, 10, 4163),
        (7, 3, 2),
    ],
)
def test_halves_are_rounded_away_from_zero(numerator, denominator, rounded):
    assert round_half_away(numerator, denominator) == rounded


@pytest.mark.parametrize(("amount", "part"), [(100, 66), (-100, -66), (1, 0), (-1, 0)])
def test_a_share_is_rounded_toward_zero(amount, part):
    assert share(amount, 2, 3) == part


def test_money_is_written_for_people():
    assert format_money(123450) == "$1,234.50"
    assert format_money(-5) == "-$0.05"
    assert format_money(100, "CHF") == "CHF 1.00"


def test_volume_is_written_without_empty_decimals():
    assert format_volume(123450) == "1,234.50"
    assert format_volume(-123400) == "-1,234"


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1,234.5", 123450), ("$1,234.50", 123450), (" 7 ", 700), ("-0.05", -5), ("1234567", 123456700)],
)
def test_amounts_are_read_as_people_write_them(text, cents):
    assert parse_money(text) == cents


@pytest.mark.parametrize("text", ["", "1.234", "1,23", "1e3", "abc", "1.", "١", "--1", "99999999999", "NaN"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(BadInput):
        parse_money(text)
    with pytest.raises(BadInput):
        parse_volume(text)


@given(st.integers(-(10**12), 10**12))
def test_what_was_written_is_read_again(cents):
    assert parse_money(format_money(cents)) == cents
    assert parse_volume(format_volume(cents)) == cents
