"""The weeks' pages: worked out by a job, approved by two, closed once, paid; and who may see them."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from jobs import commissions as jobs
from portal.commissions import cycles as service
from portal.extensions import db
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, available
from portal.ledger.book import Draft, Move
from portal.models import Consultant, Cycle, Entry, Inbox, PayoutBatch, Sale, Task, Withdrawal
from portal.models import Outbox as Fact
from tests.html import Visitor
from tests.people import PASSWORD
from tests.shop import add_sale, reverse_sale


@pytest.fixture
def week(app, cast, do):
    """The name of a week that ended: Ben and Cem sold in it, below Ana."""
    do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(add_sale, cast.cem, 300_00, revenue=3_000_00)
    return ended(app, do, cast.cycle)


@pytest.fixture
def signed_in(app, cast):
    def browser(name):
        laptop = Visitor(app)
        laptop.sign_in(f"{name}@example.com", PASSWORD)
        return laptop

    return browser


@pytest.fixture
def work(app):
    """The job that does what was asked for."""

    def run():
        with app.app_context():
            jobs.do_requested()

    return run


def ended(app, do, cycle_id):
    with app.app_context():
        zone = jobs.company_zone()
    do(service.end_if_due, zone=zone, early=True)
    with app.app_context():
        return db.session.get_one(Cycle, cycle_id).name


def state(app, name):
    with app.app_context():
        return db.session.scalar(select(Cycle.state).where(Cycle.name == name))


def entries(app):
    with app.app_context():
        return list(db.session.scalars(select(Entry.key).order_by(Entry.id)))


def previewed(visitor, work, week):
    visitor.visit(f"/admin/cycles/{week}")
    assert visitor.submit(f"/admin/cycles/{week}/preview").status_code == 303
    work()
    return visitor.visit(f"/admin/cycles/{week}")


def closed(signed_in, work, week):
    ada, fin = signed_in("ada"), signed_in("fin")
    previewed(ada, work, week)
    ada.submit(f"/admin/cycles/{week}/approve")
    fin.visit(f"/admin/cycles/{week}")
    fin.submit(f"/admin/cycles/{week}/approve")
    work()
    return ada, fin


def test_two_people_close_a_week_that_a_job_worked_out(app, week, signed_in, work):
    ada, fin = signed_in("ada"), signed_in("fin")
    ada.visit("/admin")
    assert f"{week} is ready to preview" in ada.words

    ada.visit(f"/admin/cycles/{week}")
    ada.submit(f"/admin/cycles/{week}/preview")
    waiting = ada.follow().text
    assert "The week is being worked out" in waiting and "tick from:body" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    work()

    shown = ada.visit(f"/admin/cycles/{week}").text
    assert "tick from:body" not in shown and "refresh" not in shown.split("</head>")[0]
    for figure in ("$358.00", "3 of 4", "5.96%", "$30.00", "$300.00", "$28.00"):
        assert figure in ada.words, figure
    assert ada.words.count("Passed:") == 4
    ada.submit(f"/admin/cycles/{week}/approve")
    ada.follow()
    assert "Ada approved" in ada.words and "A second person has to approve it too" in ada.words

    fin.visit(f"/admin/cycles/{week}")
    assert "Approve and close week" in fin.words
    fin.submit(f"/admin/cycles/{week}/approve")
    assert "The week is being closed" in fin.follow().text
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
    assert "People whose refunds are more than their pay" in ada.words


def test_one_person_sees_every_line_with_base_and_rate(app, cast, week, signed_in, work):
    ada = signed_in("ada")
    previewed(ada, work, week)
    with app.app_context():
        ana = db.session.get_one(Consultant, cast.ana).public_id

    assert ada.visit(f"/admin/cycles/{week}/people/{ana}").status_code == 200
    assert "Weaker-leg match 300 × 10% $30.00" in ada.words
    assert "400 × 4% $16.00" in ada.words and "Total $58.00" in ada.words
    assert ada.visit(f"/admin/cycles/{week}/people/{new_id()}").status_code == 404


def test_the_csv_holds_every_line_and_no_formula(app, cast, week, signed_in, work):
    with app.app_context():
        ben = db.session.get_one(Consultant, cast.ben).person
        ben.name = '=HYPERLINK("x")'
        db.session.commit()
    ada = signed_in("ada")
    previewed(ada, work, week)

    answer = ada.visit(f"/admin/cycles/{week}/lines.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == 358_00
    assert {row["name"][0] for row in rows if "HYPERLINK" in row["name"]} == {"'"}
    assert {row["rate"] for row in rows if row["kind"] == "binary"} == {"0.1000"}


def test_finance_pays_a_closed_week(app, cast, week, signed_in, work):
    _ada, fin = closed(signed_in, work, week)
    fin.visit(f"/admin/cycles/{week}")
    assert "Pay week" in fin.words

    answer = fin.submit(f"/admin/cycles/{week}/pay")

    assert answer.location.endswith(f"/admin/cycles/{week}")
    assert "The week is settled" in fin.follow().text and state(app, week) == "paid"
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
