"""Every figure about money opens into what is behind it, and what is behind it comes to the figure."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.models import Destination, LedgerPeriod, PayoutMethod, TaxForm
from portal.payouts import adjustments
from portal.payouts.adjustments import Proposal
from tests.html import closed_amounts
from tests.shop import add_sale, reverse_sale


@pytest.fixture
def busy(do, cast, asked):
    """Sales in the open week, a correction that waits, and a selection; addresses of pages with figures."""

    def write(uow):
        first = add_sale(uow, cast.ben, 50_000, revenue=120_000)
        reverse_sale(uow, first)
        add_sale(uow, cast.cem, 30_000, revenue=45_050)
        wanted = Proposal(cast.ben, "correction", 12_50, "The size was wrong.", "k")
        return adjustments.propose(uow, wanted, actor_id=cast.fin).public_id

    return do(write)


def parts_of(page):
    rows = re.findall(r'data-label="Amount"><a href="([^"]+)">(\S?)\$([\d,.]+)</a>', page.text)
    return {url for url, _, _ in rows}, sum(
        (-1 if sign else 1) * int(re.sub(r"\D", "", cents)) for _, sign, cents in rows
    )


def test_no_figure_of_these_pages_is_closed(ada, busy, asked, app):
    ada.visit("/admin/payouts/selections")
    selection = ada.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location
    with app.app_context():
        period = db.session.scalars(select(LedgerPeriod.id)).one()
        people = re.findall(r"/admin/consultants/(\w+)/statement", ada.visit(selection).text)
    for path in (
        "/admin",
        "/admin/books",
        "/admin/books/company/bank",
        f"/admin/books/months/{period}",
        "/admin/payouts",
        "/admin/payouts?state=all",
        "/admin/payouts/sending",
        "/admin/payments",
        f"/admin/adjustments/{busy}",
        f"/admin/consultants/{people[0]}/adjust",
        selection,
    ):
        assert closed_amounts(ada.visit(path).text) == [], path


def test_a_page_with_a_closed_figure_is_noticed():
    assert closed_amounts("<p>in all <b>$12.00</b></p><a href='/x'>$5.00</a>") == ["$12.00"]


def test_a_weeks_revenue_opens_into_its_sales(ada, busy, app):
    overview = ada.visit("/admin")
    (url,) = re.findall(r'revenue <a href="([^"]+)">\$450\.50</a>', overview.text)

    page = ada.visit(url)

    assert re.search(r"Revenue of \d{4}-W\d\d: \$450\.50", ada.words)
    assert parts_of(page)[1] == 450_50
    assert "Refund" in ada.words and ada.visit("/admin/sales/1999-W01").status_code == 404


def test_what_a_month_moved_opens_into_its_accounts(ada, busy, app):
    books = ada.visit("/admin/books")
    (url, moved) = re.search(r'href="(/admin/books/months/\d+)">\$([\d,.]+)</a>', books.text).groups()

    urls, total = parts_of(ada.visit(url))

    assert total == int(re.sub(r"\D", "", moved)) > 0
    assert all("month=" in each and ada.visit(each.replace("&amp;", "&")).status_code == 200 for each in urls)
    assert ada.visit("/admin/books/months/190001").status_code == 404


@pytest.mark.parametrize("made", [False, True])
def test_the_sums_of_a_selection_add_up_and_are_explained(ada, asked, do, made):
    do(lambda uow: uow.session.execute(update(PayoutMethod).values(fee_cents=1_50)) and None)
    do(lambda uow: uow.session.execute(update(TaxForm).values(backup_withholding=True)) and None)
    ada.visit("/admin/payouts/selections")
    place = ada.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location
    ada.visit(place)
    if made:
        ada.submit(f"{place}/make")
        ada.visit(place)

    # Ben has $380.00 left, Cem $420.00; 24 % of it is withheld and each payment costs $1.50.
    assert "Leaves the wallets $800.00 Fees −$3.00 Tax withheld −$192.00 Arrives $605.00" in ada.words
    assert "the tax is owed to the tax office" in ada.words
    assert "$287.30 arrives" in ada.words and "$317.70 arrives" in ada.words


def test_who_cannot_be_paid_any_more_is_told_beside_the_sums(ada, asked, do, cast):
    ada.visit("/admin/payouts/selections")
    place = ada.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location
    gone = update(Destination).where(Destination.consultant_id == cast.ben).values(ready=False)
    do(lambda uow: uow.session.execute(gone) and None)

    ada.visit(place)

    assert "1 person cannot be paid any more and will be left out." in ada.words
    assert "Leaves the wallets $420.00" in ada.words
