"""The pages of the books: accounts down to their postings, the check, stops, months, corrections, rules."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text

from jobs import books as job
from jobs.schedule import DUTIES
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import Conflict
from portal.ledger.accounts import COMPANY_PURPOSES, CONSULTANT_PURPOSES
from portal.models import Adjustment, Consultant, CoolingOffRule, Entry, PayoutStop
from portal.payouts import checks, stops
from portal.store import perform
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD

PROPOSAL = {"kind": "give", "amount": "12.50", "reason": "The vendor reported the size too small."}


@pytest.fixture
def ada(app, cast):
    laptop = Visitor(app)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


@pytest.fixture
def ben_page(app, cast):
    with app.app_context():
        return f"/admin/consultants/{db.session.get_one(Consultant, cast.ben).public_id}"


@pytest.fixture
def broken_books(app, do):
    """A hold that no longer says what was taken back; put right again at the end of the test."""

    def set_clawed(uow, cents):
        uow.session.execute(text("UPDATE release SET clawed_cents = :cents"), {"cents": cents})

    do(set_clawed, 1)
    yield
    do(set_clawed, 0)


def test_every_account_opens_to_its_postings_and_each_of_them_to_its_entry(fin):
    fin.visit("/admin/books")
    accounts = set(re.findall(r"/admin/books/(?:company|consultant)/\w+", fin.page.text))
    assert len(accounts) == len(COMPANY_PURPOSES) + len(CONSULTANT_PURPOSES)
    assert {fin.visit(account).status_code for account in accounts} == {200}

    fin.visit("/admin/books/company/commission_expense")
    assert "Balance $1,000.00" in fin.words
    entries = set(re.findall(r"/admin/entries/\d+", fin.page.text))
    assert len(entries) == 2
    for entry in entries:
        fin.visit(entry)
        assert "Commission of the company" in fin.words and "$500.00" in fin.words
    assert fin.visit("/admin/books/company/no_such").status_code == 404
    assert fin.visit("/admin/entries/424242").status_code == 404


def test_the_entry_of_a_withdrawal_leads_to_where_it_is(fin, asked):
    fin.visit("/admin/payouts")
    fin.visit(re.search(r"/admin/entries/\d+", fin.page.text)[0])

    assert "Withdrawal, set aside" in fin.words
    fin.visit(re.search(r'"(/admin/payouts\?state=requested)"', fin.page.text)[1])
    assert fin.page.status_code == 200


def test_debit_and_credit_come_to_the_same_and_months_filter(fin):
    fin.visit("/admin/books")
    debit, credit = re.search(r"Debit (\S+) ?, credit (\S+)", fin.words).groups()
    assert debit == credit == "$2,200.00"

    fin.visit("/admin/books/company/commission_expense?month=200001")
    assert "Nothing here" in fin.words


def test_a_consultants_statement_is_read_by_the_company_and_by_no_consultant(app, fin, ben_page):
    fin.visit(f"{ben_page}/statement")
    assert "Withdrawal, set aside" in fin.words and "Correct this wallet" in fin.words
    assert "500.00" in fin.client.get(f"{ben_page}/statement.csv").get_data(as_text=True)

    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)
    for path in (f"{ben_page}/statement", "/admin/books", "/admin/adjustments", "/admin/entries/1"):
        assert ben.visit(path).status_code == 403


def test_a_failed_check_stops_payouts_shows_it_and_is_lifted_with_a_reason(app, fin, ada, broken_books):
    with app.app_context():
        assert job.check() == 1
        assert job.check() == 1, "while it stands, a second check adds no second stop"
        assert [stop.cause for stop in stops.standing(db.session())] == [checks.CAUSE]
        with pytest.raises(Conflict):
            perform(stops.refuse_while_stopped)

    ada.visit("/admin")
    assert "Payouts are stopped" in ada.words and "each hold was released once" in ada.words
    fin.visit("/admin/books")
    assert "Failed:" in fin.words
    (lift,) = set(re.findall(r"/admin/books/stops/\d+/lift", fin.page.text))
    fin.submit(lift, {"reason": " "})
    fin.visit("/admin/books")
    assert "Please say why money may leave again." in fin.words and "Payouts are stopped since" in fin.words
    fin.submit(lift, {"reason": "One hold was written by hand."})
    fin.visit("/admin/books")
    assert "Payouts are stopped since" not in fin.words
    with app.app_context():
        perform(stops.refuse_while_stopped)
        assert db.session.scalars(select(PayoutStop.lift_reason)).one() == "One hold was written by hand."


def test_books_are_looked_at_each_minute_unless_a_look_takes_long(app, fin, broken_books, monkeypatch):
    assert DUTIES["books"] == 60
    with app.app_context():
        assert (job.check(), job.check()) == (1, 1)
        monkeypatch.setattr(job, "LONG_SECONDS", 0)
        monkeypatch.setattr(job, "_SHARE", 1_000_000)
        assert (job.check(), job.check()) == (1, 0), "after a long look the other work goes first"


def test_the_check_is_asked_by_hand_too(fin, broken_books):
    fin.visit("/admin/books")
    fin.submit("/admin/books/check")
    fin.visit("/admin/books")

    assert "The books are not in order. Payouts are stopped." in fin.words


def test_books_in_order_stop_nothing_and_what_waits_is_only_named(app, fin, ada, do):
    do(
        lambda uow: (
            uow.session.execute(text("UPDATE outbox SET happened_at = '2001-01-01 00:00:00'")) and None
        )
    )
    with app.app_context():
        assert job.check() == 0
        assert [each.invariant for each in checks.last().warnings] == [
            "a fact waits for its reactions for more than 15 minutes"
        ]
        assert stops.standing(db.session()) == []
    ada.visit("/admin")
    assert "Something waits for too long" in ada.words


def test_a_month_that_is_over_is_closed_from_the_page_and_no_other(app, fin, do, cast):
    from datetime import UTC, datetime

    long_ago = datetime(2001, 5, 5, tzinfo=UTC)
    with app.app_context():
        perform(lambda uow: fund(uow, cast.dia, 5_00, cycle=cast.cycle), clock=lambda: long_ago)
        now = utc_now()
    fin.visit("/admin/books")
    (close,) = set(re.findall(r"/admin/books/months/\d+/close", fin.page.text))
    assert close == "/admin/books/months/200105/close"

    fin.submit(f"/admin/books/months/{now:%Y%m}/close")
    fin.visit("/admin/books")
    assert "This month is not over yet." in fin.words
    fin.visit(f"/admin/books/months/{now:%Y%m}/close")
    fin.follow()
    assert "This month cannot be closed now." in fin.words
    fin.visit(close)
    assert "Nothing can be booked into this month any more." in fin.words
    fin.visit("/admin/books")
    assert "Closed May" not in fin.words and close in fin.page.text, "looking closes nothing"
    fin.visit(close)
    fin.submit(close)
    fin.visit("/admin/books")
    assert "The month is closed." in fin.words
    assert re.search(r"2001-05 1 \$5\.00 Closed", fin.words)


def test_a_correction_goes_from_one_person_to_the_other_and_into_the_books(app, fin, ada, ben_page, cast):
    ada.visit("/admin/adjustments?who=be")
    assert f"{ben_page}/adjust" in ada.page.text
    ada.visit(f"{ben_page}/adjust")
    refused = ada.submit(f"{ben_page}/adjust", {**PROPOSAL, "amount": "0"})
    assert refused.status_code == 422 and "Please write an amount" in ada.words
    ada.visit(f"{ben_page}/adjust")
    ada.submit(f"{ben_page}/adjust", PROPOSAL)
    page = ada.page.location
    ada.follow()
    assert "You proposed this" in ada.words
    assert ada.submit(f"{page}/approve").status_code == 422
    assert "Somebody else has to decide" in ada.words

    fin.visit("/admin/adjustments")
    assert "Waits for a second person" in fin.words and "+$12.50" in fin.words
    fin.visit(page)
    fin.submit(f"{page}/approve")
    fin.follow()
    assert "Booked" in fin.words
    fin.visit(re.search(r"/admin/entries/\d+", fin.page.text)[0])
    assert "Corrections by hand" in fin.words and page in fin.page.text
    with app.app_context():
        found = db.session.scalars(select(Adjustment)).one()
        assert db.session.get_one(Entry, found.entry_id).key == f"adj:{found.public_id}"


def test_a_refused_correction_says_why_and_books_nothing(fin, ada, ben_page):
    ada.visit(f"{ben_page}/adjust")
    ada.submit(f"{ben_page}/adjust", {**PROPOSAL, "kind": "take"})
    page = ada.page.location
    fin.visit(page)
    assert fin.submit(f"{page}/reject", {"decision": ""}).status_code == 422
    fin.submit(f"{page}/reject", {"decision": "The size is right."})
    fin.follow()

    assert "Not approved" in fin.words and "The size is right." in fin.words and "−$12.50" in fin.words
    assert "/admin/entries/" not in fin.page.text


def test_rules_of_cooling_off_are_added_for_days_to_come_by_admins_alone(app, fin, ada, do):
    from portal.sales.cooling_off import ensure_rules

    do(ensure_rules)
    rule = {"state": "MD", "service_unit": "", "from_age": "0", "business_days": "5", "source": "A new law"}
    ada.visit("/admin/cooling-off")
    assert "FTC Cooling-Off Rule, 16 CFR 429" in ada.words
    assert ada.submit("/admin/cooling-off", {**rule, "valid_from": "2001-01-01"}).status_code == 422
    assert "the past keeps its own" in ada.words
    ada.submit("/admin/cooling-off", {**rule, "valid_from": "2999-01-01"})
    ada.follow()
    assert "Jan 1, 2999" in ada.words
    fin.visit("/admin/cooling-off")
    assert "Add a rule" not in fin.words
    assert fin.submit("/admin/cooling-off", {**rule, "valid_from": "2999-01-02"}).status_code == 403
    with app.app_context():
        assert len(db.session.scalars(select(CoolingOffRule)).all()) == 4
