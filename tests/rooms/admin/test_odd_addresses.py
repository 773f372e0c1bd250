"""Numbers and days that no row has: a page without them, or none, and never an error of ours."""

from __future__ import annotations

import pytest

from tests.html import Visitor
from tests.people import PASSWORD

HUGE = str(2**63)
ENDLESS = "9" * 4_400
LAST_DAY = "9999-12-31"


@pytest.fixture(params=[HUGE, ENDLESS], ids=["2^63", "4400 digits"])
def odd(request):
    return request.param


@pytest.fixture
def ada(app, asked):
    laptop = Visitor(app)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


@pytest.mark.parametrize(
    "place",
    [
        "/admin/payouts?state=all&after={}",
        "/admin/books/company/bank?month={0}&before={0}",
        "/admin/adjustments?before={}",
        "/admin/payments?before={}",
        "/admin/payments/events?before={}",
    ],
)
def test_a_page_after_a_row_that_cannot_be_is_the_first_page(ada, place, odd):
    assert ada.visit(place.format(odd)).status_code == 200


@pytest.mark.parametrize("place", ["/admin/entries/{}", "/admin/payments/events/{}", "/earnings/entries/{}"])
def test_a_row_that_cannot_be_is_not_there(ada, place, odd):
    assert ada.visit(place.format(odd)).status_code == 404


@pytest.mark.parametrize(
    "place",
    [
        "/admin/payouts/suspense/{}",
        "/admin/books/stops/{}/lift",
        "/admin/books/months/{}/close",
        "/admin/payments/events/{}/replay",
    ],
)
def test_nothing_is_done_to_a_row_that_cannot_be(ada, place, odd):
    ada.visit("/admin/payouts")

    assert ada.submit(place.format(odd)).status_code == 404


def test_a_selection_after_a_row_that_cannot_be_begins_at_its_first_line(fin, odd):
    fin.visit("/admin/payouts/selections")
    place = fin.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location

    assert fin.visit(f"{place}?after={odd}").status_code == 200


@pytest.mark.parametrize("day", [LAST_DAY, "0001-01-01"])
def test_the_first_and_the_last_day_there_are_can_be_asked_for(ada, app, cast, day):
    assert ada.visit(f"/admin/payments?since={day}&until={day}").status_code == 200
    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)
    assert ben.visit(f"/earnings/statement?since={day}&until={day}").status_code == 200
    assert ben.visit(f"/earnings?before={HUGE}").status_code == 200
