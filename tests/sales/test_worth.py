"""What a milestone is worth: whole numbers, rounded once, by the terms of the day of signing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.models import Contract, Sale, Service, TermsVersion
from portal.sales.service import take_event
from portal.sales.worth import terms_on, worth
from portal.store import perform
from portal.vendors.service import Terms, add_terms
from tests.people import Cast
from tests.vendors import Vera, activated, invite_vera

sizes = st.integers(min_value=0, max_value=10**9)
amounts = st.integers(min_value=0, max_value=10**9)


def terms(**more: Any) -> TermsVersion:
    numbers = {"volume_flat": 0, "volume_per_unit": 0, "revenue_flat_cents": 0, "revenue_per_unit_cents": 0}
    return TermsVersion(**{**numbers, "milestones": {"activated": 10_000}, **more})


@pytest.mark.parametrize(
    ("flat", "per_unit", "size", "expected"),
    [(100, 0, 0, 100), (0, 1_000, 8_400, 8_400), (1, 1, 500, 2), (1, 1, 499, 1), (7, 3, 1_500, 12)],
)
def test_flat_and_per_unit_are_added_and_rounded_once(
    flat: int, per_unit: int, size: int, expected: int
) -> None:
    found = worth(
        terms(volume_flat=flat, volume_per_unit=per_unit), size_thousandths=size, milestone="activated"
    )

    assert found is not None
    assert (found.volume, found.revenue) == (expected, 0)


def test_a_milestone_without_a_share_is_worth_nothing() -> None:
    assert worth(terms(volume_flat=100), size_thousandths=0, milestone="signed") is None


@given(amounts, amounts, sizes, st.integers(min_value=1, max_value=9_999))
def test_shares_of_milestones_come_to_the_whole_but_for_a_hundredth(
    flat: int, per_unit: int, size: int, share: int
) -> None:
    whole = terms(volume_flat=flat, volume_per_unit=per_unit)
    split = terms(
        volume_flat=flat,
        volume_per_unit=per_unit,
        milestones={"signed": share, "activated": 10_000 - share},
    )
    parts = [
        worth(split, size_thousandths=size, milestone=milestone) for milestone in ("signed", "activated")
    ]
    all_of_it = worth(whole, size_thousandths=size, milestone="activated")

    assert all_of_it is not None
    assert abs(sum(part.volume for part in parts if part) - all_of_it.volume) <= 1


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def test_a_contract_keeps_the_terms_of_the_day_it_was_signed(app: Flask, vera: Vera) -> None:
    later = Terms(valid_from=date(2026, 11, 10), volume_flat=1)
    with app.app_context():
        perform(lambda uow: add_terms(uow, service_id=vera.service_id, terms=later, actor_id=None).id)
        for ref, day in (("old", 9), ("first day", 10), ("new", 11)):
            event = activated(vera, contract_ref=ref, signed_on=date(2026, 11, day))
            perform(lambda uow, event=event: take_event(uow, vendor_id=vera.vendor_id, event=event) and None)
        rows = db.session.query(Contract.ref, Sale.volume).join(Sale, Sale.contract_id == Contract.id).all()

    assert {row.ref: row.volume for row in rows} == {"old": 184_00, "first day": 1, "new": 1}


def test_what_was_signed_before_all_terms_has_the_earliest(app: Flask, vera: Vera) -> None:
    with app.app_context():
        service = db.session.get_one(Service, vera.service_id)

        assert terms_on(db.session(), service=service, day=date(2001, 1, 1)).valid_from == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"valid_from": date(2026, 1, 1)}, Conflict),
        ({"volume_flat": -1}, BadInput),
        ({"milestones": {"activated": 9_999}}, BadInput),
        ({"cooling_off_days": 366}, BadInput),
    ],
)
def test_terms_out_of_bounds_are_refused(
    app: Flask, vera: Vera, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    given_terms = Terms(**{"valid_from": date(2026, 6, 1), **wrong})
    with app.app_context(), pytest.raises(refusal):
        perform(lambda uow: add_terms(uow, service_id=vera.service_id, terms=given_terms, actor_id=None).id)


def test_a_part_that_counts_is_rounded_once_with_the_milestone():
    half = terms(revenue_flat_cents=201, milestones={"signed": 5_000, "activated": 5_000})

    found = worth(half, size_thousandths=0, milestone="signed", shares=[(1, 2)])

    # 50.25 cents; half of 100.5 that was rounded to 101 before would make 51.
    assert found.revenue == 50
