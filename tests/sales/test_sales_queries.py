"""The newest sales of a consultant and the people below, and what came of a vendor's events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.extensions import db
from portal.kernel import clock
from portal.members.queries import is_in_downline
from portal.models import Consultant
from portal.sales.queries import newest_sales, reconciliation
from portal.sales.service import take_event
from portal.store import perform
from tests.people import Cast
from tests.vendors import Vera, activated, cancelled, invite_vera


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def sell(vera: Vera, *refs: str, code: str) -> None:
    for ref in refs:
        event = activated(vera, contract_ref=ref, customer_ref=f"C-{ref}", consultant_code=code)
        perform(lambda uow, event=event: take_event(uow, vendor_id=vera.vendor_id, event=event) and None)


def lines(consultant_id: int, **more: Any) -> list[tuple[str, bool, int]]:
    return [
        (line.seller, line.own, line.volume)
        for line in newest_sales(db.session(), consultant_id, below=below, **more)
    ]


def below(top: int, others: Sequence[int]) -> set[int]:
    """Ana stands above Ben and Cem; the others above nobody."""
    return {other for other in others if is_in_downline(db.session(), top, other)}


def test_everybody_sees_own_sales_and_those_below_newest_first(app: Flask, vera: Vera, cast: Cast) -> None:
    with app.app_context():
        cem = db.session.get_one(Consultant, cast.cem).code
        sell(vera, "K1", code=vera.ana)
        sell(vera, "K2", code=vera.ben)
        sell(vera, "K3", code=cem)

        assert lines(cast.ana) == [("Cem", False, 184_00), ("Ben", False, 184_00), ("Ana", True, 184_00)]
        assert lines(cast.ben) == [("Ben", True, 184_00)]
        assert lines(cast.dia) == []
        assert lines(cast.ana, limit=1) == [("Cem", False, 184_00)]


def test_lines_stand_in_the_order_of_the_moment_they_show(
    app: Flask, vera: Vera, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        sell(vera, "K1", code=vera.ana)
        monkeypatch.setattr(clock, "_offset", -timedelta(hours=3))
        sell(vera, "K2", code=vera.ben)
        sell(vera, "K3", code=vera.ana)
        monkeypatch.setattr(clock, "_offset", timedelta())

        shown = newest_sales(db.session(), cast.ana, below=below)

        assert [line.own for line in shown] == [True, True, False]
        moments = [line.recorded_at for line in shown]
        assert moments == sorted(moments, reverse=True)
        assert lines(cast.ana, limit=1) == [("Ana", True, 184_00)]


def test_a_reversal_is_a_line_of_its_own(app: Flask, vera: Vera, cast: Cast) -> None:
    with app.app_context():
        sell(vera, "K1", code=vera.ben)
        event = cancelled(vera, customer_ref="C-K1")
        perform(lambda uow: take_event(uow, vendor_id=vera.vendor_id, event=event) and None)
        newest, first = newest_sales(db.session(), cast.ana, below=below)

    assert (newest.reversal, newest.volume, newest.revenue_cents) == (True, -184_00, -620_00)
    assert (first.reversal, first.vendor, first.service, first.icon) == (False, "Vera Solar", "Solar", "sun")


def test_own_sales_are_found_however_many_others_sell(
    app: Flask, vera: Vera, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.sales import queries

    monkeypatch.setattr(queries, "LOOKED_AT", 3)
    with app.app_context():
        dia = db.session.get_one(Consultant, cast.dia).code
        sell(vera, "K0", code=vera.ben)
        sell(vera, *(f"D{number}" for number in range(4)), code=dia)

        assert lines(cast.ben) == [("Ben", True, 184_00)]
        assert lines(cast.ana) == []


def test_reconciliation_counts_each_vendor_for_itself(app: Flask, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Another Solar")
    with app.app_context():
        sell(vera, "K1", "K2", code=vera.ben)
        event = cancelled(vera, customer_ref="C-K1")
        perform(lambda uow: take_event(uow, vendor_id=vera.vendor_id, event=event) and None)
        first, second = reconciliation(db.session())

    assert (first.vendor, first.public_id, first.sales) == ("Another Solar", other.public_id, 0)
    assert (second.sales, second.reversals, second.volume, second.revenue_cents) == (2, 1, 184_00, 620_00)
