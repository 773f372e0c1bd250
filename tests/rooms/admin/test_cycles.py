"""The weeks' pages: worked out by a job, approved by two, closed once, paid; and who may see them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from jobs import books
from portal.admin import words
from portal.commissions import cycles as service
from portal.commissions.checks import CHECKS
from portal.extensions import db
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, available
from portal.ledger.audit import Broken
from portal.ledger.book import Draft, Move
from portal.models import Cycle, Inbox, PayoutBatch, Sale, Task, Withdrawal
from portal.models import Outbox as Fact
from tests.html import Visitor
from tests.rooms.admin.cycle_steps import closed, ended, entries, previewed, state, title
from tests.shop import add_sale, reverse_sale


def test_two_people_close_a_week_that_a_job_worked_out(app, week, signed_in, work):
    ada, fin = signed_in("ada"), signed_in("fin")
    ada.visit("/admin")
    assert f"{week} is ready to preview" in ada.words

    ada.visit(f"/admin/cycles/{week}")
    ada.submit(f"/admin/cycles/{week}/preview")
    waiting = ada.follow().text
    assert f"{title(week)} is being worked out" in waiting and "tick from:body" in waiting
    assert "Waiting for its turn" in waiting and "You can leave this page" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    work()

    shown = ada.visit(f"/admin/cycles/{week}").text
    assert "tick from:body" not in shown and "refresh" not in shown.split("</head>")[0]
    for figure in ("$358.00", "3 of 4", "5.96%", "$30.00", "$300.00", "$28.00"):
        assert figure in ada.words, figure
    assert "Look at:" not in ada.words and "Failed:" not in ada.words
    for check in ("Every cent ties to a sale 2 sales", "The books are in order", "No wallet is below zero"):
        assert f"Passed: {check}" in ada.words
    ada.submit(f"/admin/cycles/{week}/approve")
    ada.follow()
    assert "Ada approved" in ada.words and "A second person has to approve it too" in ada.words

    fin.visit(f"/admin/cycles/{week}")
    assert f"Approve and close {title(week).lower()}" in fin.words
    fin.submit(f"/admin/cycles/{week}/approve")
    assert f"{title(week)} is being closed" in fin.follow().text
    assert "Passed:" not in fin.words, "all the books are read at each tick"
    work()
    fin.visit(f"/admin/cycles/{week}")
    assert "Closed" in fin.words and state(app, week) == "closed"
    assert len([key for key in entries(app) if key.startswith("run-")]) == 4


def test_one_person_cannot_be_both(app, week, signed_in, work):
    ada = signed_in("ada")
    previewed(ada, work, week)
    ada.submit(f"/admin/cycles/{week}/approve")

    refused = ada.submit(f"/admin/cycles/{week}/approve")

    assert refused.status_code == 409 and "A second person" in ada.words
    assert state(app, week) == "previewed"


def test_a_newer_preview_is_looked_at_before_it_is_approved(app, week, signed_in, work):
    ada, fin = signed_in("ada"), signed_in("fin")
    previewed(ada, work, week)
    ada.submit(f"/admin/cycles/{week}/approve")
    fin.visit(f"/admin/cycles/{week}")
    previewed(ada, work, week)

    late = fin.submit(f"/admin/cycles/{week}/approve")

    assert late.status_code == 409 and "There is a newer preview" in fin.words
    assert "2 more people have to approve" in fin.words and "Ada approved" not in fin.words
    assert "Approve and close" not in fin.words
    assert state(app, week) == "previewed"


def test_a_second_yes_that_does_not_ask_for_the_close_leaves_it_to_a_button(app, week, signed_in, work):
    ada, fin = signed_in("ada"), signed_in("fin")
    previewed(ada, work, week)
    ada.submit(f"/admin/cycles/{week}/approve")
    fin.visit(f"/admin/cycles/{week}")
    fin.hidden.pop("close")
    fin.submit(f"/admin/cycles/{week}/approve")
    work()
    assert state(app, week) == "approved" and "Close week" in fin.follow().text

    fin.submit(f"/admin/cycles/{week}/close")
    work()
    assert state(app, week) == "closed"


def test_closing_twice_books_once(app, week, signed_in, work):
    ada, _fin = closed(signed_in, work, week)
    before = entries(app)

    again = ada.submit(f"/admin/cycles/{week}/close")
    work()

    assert again.status_code == 303 and entries(app) == before and before


def test_a_refused_job_says_why_on_the_page(app, week, signed_in, work, do):
    ada = signed_in("ada")
    ada.visit(f"/admin/cycles/{week}")
    ada.submit(f"/admin/cycles/{week}/preview")
    with app.app_context():
        cycle_id = db.session.scalar(select(Cycle.id).where(Cycle.name == week))
    do(service.note_refusal, cycle_id=cycle_id, reason="Something changed since the preview.")

    ada.visit(f"/admin/cycles/{week}")

    assert "The last try was refused" in ada.words
    assert "Something changed since the preview." in ada.words


def test_a_password_entered_long_ago_is_asked_for_again(app, week, signed_in, work, monkeypatch):
    ada = signed_in("ada")
    previewed(ada, work, week)
    monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)

    for deed in ("approve", "close", "pay"):
        answer = ada.submit(f"/admin/cycles/{week}/{deed}")
        assert answer.status_code == 303 and "/confirm" in answer.location
    assert state(app, week) == "previewed"


def test_what_changed_and_why_stands_beside_the_week_before(app, cast, week, signed_in, work, do):
    closed(signed_in, work, week)
    do(add_sale, cast.dia, 500_00, revenue=8_000_00)
    with app.app_context():
        sale_of_ben = db.session.scalar(select(Sale.id).where(Sale.consultant_id == cast.ben))
    do(reverse_sale, sale_of_ben)
    with app.app_context():
        open_id = db.session.scalar(select(Cycle.id).where(Cycle.state == "open"))
    second = ended(app, do, open_id)
    ada = signed_in("ada")
    previewed(ada, work, second)

    assert f"What changed since week {int(week[-2:])}" in ada.words
    assert "Dia More own sales +$400.00 $400.00" in ada.words
    assert "Ben 1 refund took back what was paid before −$300.00 −$150.00" in ada.words
    assert "Corrections" in ada.words
    assert "Look at: 2 people's refunds are more than their pay Show" in ada.words


def test_finance_pays_a_closed_week(app, cast, week, signed_in, work):
    _ada, fin = closed(signed_in, work, week)
    fin.visit(f"/admin/cycles/{week}")
    assert "Pay week" in fin.words

    answer = fin.submit(f"/admin/cycles/{week}/pay")

    assert answer.location.endswith(f"/admin/cycles/{week}")
    assert "The cycle is settled" in fin.follow().text and state(app, week) == "paid"
    with app.app_context():
        assert db.session.scalar(select(PayoutBatch.id)) is None


def test_the_overview_names_what_was_given_up(app, cast, do, signed_in):
    def break_things(uow):
        now = uow.clock()
        fact = Fact(name="sale.recorded", key=None, body={}, happened_at=now, relayed_at=now)
        uow.session.add(fact)
        uow.session.flush()
        row = {"queue": "money", "state": "dead", "attempts": 8, "next_at": now}
        uow.session.add(Task(outbox_id=fact.id, handler="x", last_error="It broke.", **row))
        uow.session.add(
            Inbox(
                source="stripe",
                event_id="1",
                kind="x",
                body=b"",
                body_sha256="0" * 64,
                received_at=now,
                deliveries=1,
                state="dead",
                attempts=8,
                next_at=now,
            )
        )

    ada = signed_in("ada")
    ada.visit("/admin")
    assert "Nothing waits" in ada.words

    do(break_things)
    ada.visit("/admin")
    assert "1 event was given up" in ada.words and "1 reaction was given up It broke." in ada.words


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/cycles", "/admin/cycles/WEEK", "/admin/cycles/WEEK/lines.csv"]
)
def test_strangers_sign_in_and_consultants_stay_outside(app, week, signed_in, path):
    path = path.replace("WEEK", week)

    assert "/login" in Visitor(app).visit(path).location
    assert signed_in("ana").visit(path).status_code == 403
    assert signed_in("fin").visit(path).status_code in (200, 404)


@pytest.mark.parametrize("deed", ["preview", "approve", "close", "pay"])
def test_nobody_without_the_right_does_anything(app, week, signed_in, deed):
    ana = signed_in("ana")
    ana.visit("/home")

    assert ana.submit(f"/admin/cycles/{week}/{deed}").status_code == 403
    assert state(app, week) == "ended"


def test_finance_asks_for_no_preview(app, week, signed_in):
    fin = signed_in("fin")
    fin.visit(f"/admin/cycles/{week}")

    assert "Preview week" not in fin.words
    assert fin.submit(f"/admin/cycles/{week}/preview").status_code == 403


def test_a_week_that_does_not_exist_is_not_found(cast, signed_in):
    ada = signed_in("ada")

    for path in ("2001-W01", "2001-W01/lines.csv", f"2001-W01/people/{new_id()}"):
        assert ada.visit(f"/admin/cycles/{path}").status_code == 404


def test_the_company_pays_the_sum_that_was_on_the_screen_and_no_other(app, cast, week, signed_in, work, do):
    ada, fin = closed(signed_in, work, week)
    moves = [Move(COMMISSION_EXPENSE, available(cast.ben), Cents(25_00))]
    do(lambda uow: book.post(uow, Draft("gift-1", "adjustment", moves)).id)
    place = fin.submit(f"/admin/cycles/{week}/pay").location
    fin.follow()
    assert "Make 1 withdrawal of $25.00" in fin.words
    assert f'href="/admin/cycles/{week}"' in fin.page.text and "It pays out week" in fin.words
    assert f", week {int(week[-2:])}" in (fin.visit("/admin/payouts/selections") and fin.words)
    fin.visit(place)
    do(lambda uow: book.post(uow, Draft("gift-2", "adjustment", moves)).id)

    fin.submit(f"{place}/make")
    assert fin.submit(f"/admin/cycles/{week}/pay").location == place
    fin.follow()
    assert "You made them; another person has to approve them." in fin.words
    ada.visit(place)
    assert "Approve 1 withdrawal of $25.00" in ada.words
    ada.submit(f"{place}/approve")
    ada.follow()

    assert "Every withdrawal of this selection is decided" in ada.words
    with app.app_context():
        found = db.session.scalars(select(Withdrawal)).one()
        assert (found.amount_cents, found.state) == (25_00, "approved")


def test_the_page_trusts_a_look_at_the_books_of_a_moment_ago_but_a_yes_looks_itself(
    app, week, signed_in, work, monkeypatch
):
    ada = signed_in("ada")
    previewed(ada, work, week)
    with app.app_context():
        books.check()

    broken = [Broken("an invented invariant", ("row",))]
    monkeypatch.setattr("portal.commissions.check_figures.broken_invariants", lambda _session: broken)
    ada.visit(f"/admin/cycles/{week}")
    assert "Passed: The books are in order" in ada.words
    refused = ada.submit(f"/admin/cycles/{week}/approve")

    assert refused.status_code == 409 and "Not so: The books are in order (books)" in ada.words
    assert state(app, week) == "previewed"


def test_every_check_that_fails_says_what_is_the_case_and_not_what_ought_to_be(app):
    with app.test_request_context():
        for check in CHECKS.values():
            told = words.failed(check.code, 3)
            assert told and told != check.title, check.code
            assert not told.startswith(("Nobody", "Every ", "No ")), told


def test_a_closed_week_tells_when_it_was_worked_out_and_when_it_was_closed(app, week, signed_in, work):
    closed(signed_in, work, week)
    with app.app_context():
        cycle = db.session.scalars(select(Cycle).where(Cycle.name == week)).one()
        run_id = cycle.close_run_id

    fin = signed_in("fin")
    fin.visit(f"/admin/cycles/{week}")

    told = fin.words.split("Decide")[1]
    assert told.index(f"Worked out, run {run_id}") < told.index("approved") < told.index("Closed")
