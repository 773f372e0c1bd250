"""/vendor/invoice: a month that is over never changes; a correction shows in the month it is booked in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Cycle, Sale, Service, TermsVersion
from portal.sales import service as sales
from portal.store import UnitOfWork, perform
from portal.vendors import portal_invoice
from portal.vendors import portal_invoices as invoices
from tests.commissions.shared_sales import change, offer, sell
from tests.html import Visitor
from tests.people import Cast
from tests.vendors import Vera, activated, cancelled

FIRST = {"vendor": 5_000, "company": 3_000, "consultant": 2_000, "upline": []}
LATER = {"vendor": 2_500, "company": 5_500, "consultant": 2_000, "upline": []}


def middle_of_last_month(app: Flask) -> datetime:
    """A moment of the month before the one that the company's time zone has now."""
    here = utc_now().astimezone(ZoneInfo(app.config["SETTINGS"].time_zone))
    return (here.replace(day=1) - timedelta(days=15)).astimezone(UTC)


@pytest.fixture
def terms_change(app: Flask, vera: Vera) -> date:
    """The vendor gets 50%, and 25% of what is signed from a day of last month on; that day."""
    begins = middle_of_last_month(app).date() - timedelta(days=5)

    def write(uow: UnitOfWork) -> None:
        uow.session.scalars(select(TermsVersion)).one().shares = FIRST
        added = change(uow, vera.service_id, begins, LATER)
        uow.session.get_one(TermsVersion, added).revenue_flat_cents = 620_00

    with app.app_context():
        perform(write)
    return begins


def tell(app: Flask, vera: Vera, event: VendorEvent, at: datetime) -> None:
    """What a vendor says at a moment."""
    with app.app_context():
        perform(
            lambda uow: sales.take_event(uow, vendor_id=vera.vendor_id, event=event) and None,
            lambda: at,
        )


def csv_of(cleo: Visitor, month: datetime | None = None) -> bytes:
    """The invoice of a month, else of the present one."""
    return cleo.visit(f"/vendor/invoice.csv?month={month:%Y-%m}" if month else "/vendor/invoice.csv").data


def amounts(csv: bytes) -> list[str]:
    """What every line of an invoice is, its revenue, the vendor's share, and what is owed."""
    return [" ".join(row.split(",")[i] for i in (6, 8, 9, 10)) for row in csv.decode().splitlines()[1:]]


def test_last_month_stays_as_it_is_whatever_is_corrected_cancelled_or_renamed(
    app: Flask, vera: Vera, cleo: Visitor, terms_change: date
) -> None:
    past, now = middle_of_last_month(app), utc_now()
    about = {"signed_on": past.date(), "occurred_at": past}
    tell(app, vera, activated(vera, **about), past)
    tell(app, vera, activated(vera, contract_ref="K2", customer_ref="C2", **about), past)
    before = csv_of(cleo, past)

    earlier = {"type": "service.signed", "milestone": "signed", "occurred_at": past - timedelta(days=9)}
    tell(app, vera, activated(vera, **earlier, signed_on=terms_change - timedelta(days=3)), now)
    gone = {"contract_ref": "K2", "customer_ref": "C2", "signed_on": None, "occurred_at": now}
    tell(app, vera, cancelled(vera, **gone), now)
    renamed = update(Service).values(name="Sunlight")
    with app.app_context():
        perform(lambda uow: uow.session.execute(renamed) and None)

    assert amounts(before) == ["sale 620.00 155.00 465.00"] * 2
    assert csv_of(cleo, past) == before
    assert amounts(csv_of(cleo)) == [
        "reversal -620.00 -155.00 -465.00",
        "sale 620.00 310.00 310.00",
        "reversal -620.00 -155.00 -465.00",
    ]


def test_a_month_says_whether_it_may_still_grow(app: Flask, vera: Vera, cleo: Visitor) -> None:
    past = middle_of_last_month(app)

    cleo.visit("/vendor/invoice")
    assert "This month may still grow" in cleo.words and "stays as it is" not in cleo.words
    cleo.visit(f"/vendor/invoice?month={past:%Y-%m}")
    assert "This month is over and stays as it is" in cleo.words and "still grow" not in cleo.words


def test_the_share_of_a_milestone_is_rounded_by_terms(app: Flask, do: Callable[..., Any], cast: Cast) -> None:
    """A cent at 50% and a cent at 60%: a cent each, though 60% of both is one cent only."""
    terms = do(offer, "Volta", "charger", {**FIRST, "company": 3_000})
    other = do(change, terms[0], date(2026, 12, 1), {**FIRST, "vendor": 6_000, "company": 2_000})
    first = do(sell, cast.ben, terms, revenue=1)

    def once_more(uow: UnitOfWork) -> int:
        one = uow.session.get_one(Sale, first)
        kept = ("consultant_id", "contract_id", "milestone", "volume", "occurred_at", "recorded_at")
        cycle = uow.session.scalars(select(Cycle.id)).one()
        about = {name: getattr(one, name) for name in kept}
        uow.session.add(
            Sale(
                public_id=new_id(),
                cycle_id=cycle,
                terms_version_id=other,
                revenue_cents=1,
                cause="more",
                **about,
            )
        )
        return one.contract.vendor_id

    vendor_id = do(once_more)
    zone = ZoneInfo("UTC")
    with app.app_context():
        month = utc_now().date().replace(day=1)
        found = invoices.invoice_of(db.session(), vendor_id, month=month, zone=zone)

    assert [line.vendor_cents for line in found.lines] == [1, 1]


def test_a_long_month_is_read_page_by_page_from_the_newest_on(
    app: Flask, vera: Vera, cleo: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_invoice, "ROWS_A_PAGE", 2)
    for number in range(3):
        tell(app, vera, activated(vera, contract_ref=f"K{number}", customer_ref=f"C{number}"), utc_now())

    first = cleo.visit("/vendor/invoice").text
    older = cleo.visit("/vendor/invoice?skip=2").text

    assert [ref in first for ref in ("K0", "K1", "K2")] == [False, True, True]
    assert "skip=2" in first and "1 to 2 of 3" in first
    assert [ref in older for ref in ("K0", "K1", "K2")] == [True, False, False]
    assert "3 to 3 of 3" in older and "skip=4" not in older
