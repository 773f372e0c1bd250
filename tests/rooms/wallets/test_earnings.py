"""The wallet: balances, the history by day, statements that add up."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from portal.extensions import db
from portal.ledger.releases import claw_back
from portal.models import CommissionLine, Cycle, Run
from portal.payouts import service
from tests.html import Visitor
from tests.payouts.purses import earn
from tests.people import PASSWORD


def test_balances_and_the_next_release_are_shown(ben, cast, do):
    do(earn, cast.ben, 75_25, cycle=cast.cycle, due_on=date(2999, 1, 2))

    ben.visit("/earnings")

    assert "$75.25 becomes available on Jan 2, 2999" in ben.words
    assert "Available $500 .00" in ben.words
    assert "On its way $75.25" in ben.words


def test_an_empty_wallet_says_what_comes(app, cast):
    cem = Visitor(app)
    cem.sign_in("cem@example.com", PASSWORD)

    cem.visit("/earnings")

    for words in ("Nothing here yet", "No cycle is closed yet", "No withdrawals yet", "Nothing is on hold."):
        assert words in cem.words


def test_each_movement_is_told_in_words(ben, cast, do):
    asked = {"consultant_id": cast.ben, "amount": 100_00, "key": "k", "actor_id": cast.ada}
    do(lambda uow: service.request_withdrawal(uow, **asked).id)
    do(claw_back, consultant_id=cast.ben, amount=450_00, key="claw", cause=("test", 1))

    ben.visit("/earnings")

    for words in (
        "Earned, on its way",
        "+$500.00",
        "Now available",
        "Withdrawal, set aside",
        "−$100.00",
        "Correction",
        "−$400.00",
        "Correction, open",
        "−$50.00",
        "A correction of $50.00 is open",
    ):
        assert words in ben.words
    assert ben.words.count("+$500.00") == 1, "what only changes its place has no sign"


def test_filters_show_their_kind_alone(ben, cast, do):
    asked = {"consultant_id": cast.ben, "amount": 100_00, "key": "k", "actor_id": cast.ada}
    do(lambda uow: service.request_withdrawal(uow, **asked).id)

    ben.visit("/earnings?show=withdrawals")

    assert "Withdrawal, set aside" in ben.words
    assert "Earned, on its way" not in ben.words


def test_a_long_history_is_read_page_by_page(ben, cast, do):
    do(lambda uow: [earn(uow, cast.ben, 100 + number, cycle=cast.cycle) for number in range(45)])

    seen, page = [], "/earnings?show=earned"
    while page:
        text = ben.visit(page).text
        found = [number for number in range(45) if f"+${1 + number // 100}.{number % 100:02d}" in text]
        assert not set(found) & set(seen)
        seen += found
        page = _older(text)

    assert sorted(seen) == list(range(45))


@pytest.mark.parametrize(("page", "most"), [("/earnings", 15), ("/earnings/weeks/{week}", 8)])
def test_more_rows_need_no_more_questions(ben, cast, do, app, page, most):
    week = do(_close_with_lines, cast=cast, sales=1)
    page = page.format(week=week)
    few = _questions(app, lambda: ben.visit(page))
    do(lambda uow: [earn(uow, cast.ben, 100, cycle=cast.cycle) for _ in range(10)])
    do(_more_lines, cast=cast, number=10)

    assert _questions(app, lambda: ben.visit(page)) == few <= most


def test_a_statement_adds_up_to_its_total(ben, cast, do):
    week = do(_close_with_lines, cast=cast, sales=3)

    ben.visit(f"/earnings/weeks/{week}")

    assert "Weaker-leg match $34.50" in ben.words
    assert "Total $34.50" in ben.words
    assert ben.visit("/earnings").text.count("$34.50") == 1


def test_a_week_that_is_not_closed_is_not_there(ben):
    for name in ("2999-W01", "x", "%00", "../../x"):
        assert ben.visit(f"/earnings/weeks/{name}").status_code == 404


def _older(text):
    from html import unescape
    from re import search

    found = search(r'href="([^"]*before=\d+[^"]*)"', text)
    return unescape(found[1]) if found else None


def _questions(app, visit):
    asked = []
    with app.app_context():
        engine = db.engine
    listen = lambda *about: asked.append(about[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert visit().status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    return len(asked)


def _close_with_lines(uow, *, cast, sales):
    cycle = uow.session.get_one(Cycle, cast.cycle)
    run = Run(
        cycle_id=cycle.id,
        purpose="close",
        plan_version_id=cycle.plan_version_id,
        inputs=b"",
        input_hash="0" * 64,
        frozen_at=uow.clock(),
    )
    uow.session.add(run)
    uow.session.flush()
    cycle.state, cycle.close_run_id, cycle.closed_at = "closed", run.id, uow.clock()
    for number in range(sales):
        uow.session.add(_line(run.id, cast.ben, 10_50 + number * 100))
    return cycle.name


def _more_lines(uow, *, cast, number):
    run_id = uow.session.get_one(Cycle, cast.cycle).close_run_id
    uow.session.add_all([_line(run_id, cast.ben, 100) for _ in range(number)])


def _line(run_id, consultant_id, cents):
    return CommissionLine(
        run_id=run_id, consultant_id=consultant_id, kind="binary", amount_cents=cents, base=100_00, level=0
    )
