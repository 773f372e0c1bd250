"""The statement: running balances, filters, the file, and each entry opened; and only one's own."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.extensions import db
from portal.ledger import running, statements
from portal.ledger.releases import claw_back
from portal.ledger.running import Span
from portal.models import CommissionLine, Cycle, Entry
from portal.payouts import adjustments, service
from portal.payouts.adjustments import Proposal
from portal.store import perform
from portal.ui.bookings import _ENTRIES
from tests.html import Visitor
from tests.payouts.purses import earn
from tests.people import PASSWORD
from tests.shop import add_sale

ZONE = ZoneInfo("America/Denver")


@pytest.fixture
def busy(ben, cast, do):
    """Ben earns, withdraws, is corrected and owes in the end."""
    do(earn, cast.ben, 75_25, cycle=cast.cycle, due_on=date(2999, 1, 2))
    do(claw_back, consultant_id=cast.ben, amount=80_00, key="claw", cause=("test", 1))
    given = Proposal(cast.ben, "correction", 10_00, "=1+1 was forgotten in week 3", "k")
    row = do(lambda uow: adjustments.propose(uow, given, actor_id=cast.ada).id)
    do(lambda uow: adjustments.approve(uow, adjustment_id=row, actor_id=cast.fin) and None)
    do(claw_back, consultant_id=cast.ben, amount=600_00, key="claw2", cause=("test", 2))
    return ben


def read(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_the_running_balance_ends_at_the_balances_of_the_wallet(app, busy, cast):
    rows = read(busy.client.get("/earnings/statement.csv"))

    with app.app_context():
        now = statements.balances(db.session(), cast.ben)
    last = rows[-1]
    assert [last["available"], last["on_its_way"], last["owed"]] == ["0.00", "0.00", "94.75"]
    assert (now.available, now.pending, now.debt) == (0, 0, 94_75)
    for column in ("available", "on_its_way", "set_aside", "owed"):
        sums = 0
        for row in rows:
            sums += round(float(row[f"{column}_change"]) * 100)
            assert sums == round(float(row[column]) * 100), "each line follows from the one before it"


def test_the_page_shows_what_an_entry_changed_and_what_was_there_after_it(busy):
    busy.visit("/earnings/statement")

    for words in ("Correction by hand", "Taken back after a refund", "+$10.00", "$505.25", "$94.75 owed"):
        assert words in busy.words


def test_filters_choose_lines_and_leave_balances_as_they_are(busy):
    corrected = read(busy.client.get("/earnings/statement.csv?kind=corrections"))
    none = read(busy.client.get("/earnings/statement.csv?until=2001-01-01"))

    assert [row["available"] for row in corrected] == ["495.25", "505.25", "0.00"]
    assert none == []
    busy.visit("/earnings/statement?since=not-a-day&kind=nonsense&before=x")
    assert busy.page.status_code == 200
    busy.visit("/earnings/statement?since=0001-01-01&until=9999-12-31")
    assert "Correction by hand" in busy.words


def test_days_in_the_wrong_order_are_named_at_the_field_and_change_no_sum(busy):
    busy.visit("/earnings/statement?since=2001-02-01&until=2001-01-01")
    assert "This day is before the first one." in busy.words and 'aria-invalid="true"' in busy.page.text
    assert "$94.75 owed" in busy.words, "the sum is the one without the wrong day"


def test_the_file_names_its_days_and_its_currency(busy):
    names = {
        "since=2001-01-01&until=2999-11-22": "statement-2001-01-01-2999-11-22.csv",
        "since=2001-01-01": "statement-from-2001-01-01.csv",
        "until=2999-11-22": "statement-until-2999-11-22.csv",
        "": "statement.csv",
    }
    for question, name in names.items():
        answer = busy.client.get(f"/earnings/statement.csv?{question}")
        assert f'filename="{name}"' in answer.headers["Content-Disposition"]
        assert {row["currency"] for row in read(answer)} == {"USD"}


def test_pages_lead_on_and_everything_stands_on_one_for_paper(ben, cast, do):
    for _ in range(30):
        do(earn, cast.ben, 1_00, cycle=cast.cycle, due_on=date(2999, 1, 2))

    ben.visit("/earnings/statement")
    first = ben.page.text.count('<th scope="row">')
    older = re.search(r'href="([^"]*before=[^"]*)"', ben.page.text)
    ben.visit(older[1].replace("&amp;", "&"))
    second = ben.page.text.count('<th scope="row">')
    ben.visit("/earnings/statement?rows=all")

    assert (first, second, ben.page.text.count('<th scope="row">')) == (25, 7, 32)


def test_an_entry_opens_for_its_owner_and_for_nobody_else(app, busy, cast):
    with app.app_context():
        entry = db.session.scalars(select(Entry.id).where(Entry.key.startswith("adj:"))).one()
    busy.visit(f"/earnings/entries/{entry}")
    assert "=1+1 was forgotten in week 3" in busy.words and "$10.00" in busy.words

    cem = Visitor(app)
    cem.sign_in("cem@example.com", PASSWORD)
    assert cem.visit(f"/earnings/entries/{entry}").status_code == 404
    assert cem.visit("/earnings/entries/424242").status_code == 404
    assert read(cem.client.get("/earnings/statement.csv")) == []


def test_every_movement_of_the_earnings_page_opens_its_entry(busy):
    busy.visit("/earnings")
    links = set(re.findall(r"/earnings/entries/\d+", busy.page.text))

    assert len(links) == 6
    assert {busy.visit(link).status_code for link in links} == {200}


def test_every_kind_that_is_booked_has_words(app, busy, cast):
    with app.app_context():
        kinds = set(db.session.scalars(select(Entry.kind)))

    assert kinds - {"commission"} <= set(_ENTRIES), "`commission` is made by the tests alone"


def test_each_closed_week_adds_up_from_its_lines_to_its_entries_and_the_page_links_them(app, ben, cast, do):
    for seller, volume in ((cast.ben, 84_000), (cast.cem, 120_000), (cast.ana, 33_333)):
        do(add_sale, seller, volume, revenue=volume)

    with app.app_context():
        _close(cast)
        for owner in (cast.ana, cast.ben, cast.cem):
            lines = db.session.execute(
                select(CommissionLine.kind, CommissionLine.amount_cents)
                .join(Cycle, Cycle.close_run_id == CommissionLine.run_id)
                .where(CommissionLine.consultant_id == owner)
            ).all()
            earned = running.lines(db.session(), owner, Span(group="earned"))
            booked = {row.kind.removeprefix("commission "): row.change.pending for row in earned}
            booked.pop("commission", None)
            assert booked == {kind: sum(c for k, c in lines if k == kind) for kind, _ in lines if lines}
            assert sum(booked.values()) == sum(cents for _, cents in lines) > 0
    ben.visit("/earnings")
    week = re.search(r"/earnings/weeks/[^\"]+", ben.page.text)[0]
    ben.visit(week)
    assert "Booked as $42.00" in ben.words
    assert re.search(r"\$840\.00 × 5 ?% \$42\.00", ben.words), "each amount is explained"
    (entry,) = set(re.findall(r"/earnings/entries/\d+", ben.page.text))
    ben.visit(entry)
    assert "Earned: own sales" in ben.words and week in ben.page.text


def _close(cast):
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
    perform(lambda uow: cycles.preview(uow, cycle_id=cast.cycle))
    run = db.session.get_one(Cycle, cast.cycle).preview_run_id
    for actor in (cast.ada, cast.fin):
        perform(lambda uow, actor=actor: cycles.approve(uow, cycle_id=cast.cycle, run_id=run, actor_id=actor))
    for step in CLOSE_STEPS:
        perform(lambda uow, step=step: step(uow, cycle_id=cast.cycle, zone=ZONE))


def test_a_withdrawal_shows_how_it_is_booked(ben, cast, do):
    asked = {"consultant_id": cast.ben, "amount": 100_00, "key": "k", "actor_id": cast.ada}
    public_id = do(lambda uow: service.request_withdrawal(uow, **asked).public_id)

    ben.visit(f"/earnings/withdrawals/{public_id}")
    ben.visit(re.search(r"/earnings/entries/\d+", ben.page.text)[0])

    assert "Withdrawal, set aside" in ben.words and f"/earnings/withdrawals/{public_id}" in ben.page.text
