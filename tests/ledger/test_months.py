"""P22: a closed month is closed. Entries race with closes; what comes late is booked in the open month."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from portal.extensions import db
from portal.kernel.errors import Conflict, NotYours
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import audit, book, months
from portal.ledger.accounts import BANK, REVENUE
from portal.ledger.book import Draft, Move
from portal.models import Consultant, Entry, LedgerPeriod, Payment, Registration
from portal.payments.recording import PaymentNotice, record_payment
from portal.store import engine_options, perform
from tests.ledger.sizes import TIMES

RACES = 50 * TIMES
WRITERS = 3
FIRST_YEAR = 1990
WITHOUT_THE_LOCK = (
    "CREATE OR REPLACE FUNCTION entry_in_open_period() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN IF EXISTS (SELECT 1 FROM added a JOIN ledger_period p ON p.id = a.period_id"
    " WHERE p.closed_at IS NOT NULL) THEN RAISE EXCEPTION 'period closed'; END IF; RETURN NULL; END $$"
)


def month(number):
    """The middle of the n-th month of the races."""
    return datetime(FIRST_YEAR + number // 12, number % 12 + 1, 15, tzinfo=UTC)


def write(uow, key):
    book.post(uow, Draft(key, "test", [Move(BANK, REVENUE, Cents(100))]))


def in_month(number, key):
    moment = month(number)
    perform(lambda uow: write(uow, key), clock=lambda: moment)


def close(number):
    moment = month(number)
    later, period_id = moment + timedelta(days=40), moment.year * 100 + moment.month
    perform(
        lambda uow: months.close_month(uow, period_id=period_id, actor_id=None) and None, clock=lambda: later
    )


def found():
    with_name = [each.invariant for each in audit.broken_invariants(db.session())]
    db.session.rollback()
    return with_name


def test_entries_race_with_the_close_and_none_slips_into_a_closed_month(app, cast, monkeypatch):
    # What every close asks of all the books is asked once at the end; the race needs speed.
    monkeypatch.setattr(months, "broken_invariants", lambda session: [])
    written, refused = [], []

    def run(number, which, barrier):
        with app.app_context():
            barrier.wait()
            try:
                if which is None:
                    close(number)
                else:
                    in_month(number, f"race-{number}-{which}")
                    written.append((number, which))
            except DBAPIError as refusal:
                assert "period closed" in str(refusal.orig)
                refused.append((number, which))
            finally:
                db.session.remove()

    for number in range(RACES):
        with app.app_context():
            in_month(number, f"first-{number}")
            db.session.remove()
        barrier = threading.Barrier(WRITERS + 1)
        hands = [
            threading.Thread(target=run, args=(number, which, barrier)) for which in (*range(WRITERS), None)
        ]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()

    with app.app_context():
        rows = db.session.scalars(select(LedgerPeriod).where(LedgerPeriod.id < 202001)).all()
        assert len(rows) == RACES and all(row.closed_at for row in rows)
        assert all(months.is_unchanged(db.session(), row) for row in rows)
        assert sum(row.entry_count for row in rows) == RACES + len(written)
        assert len(written) + len(refused) == RACES * WRITERS
        assert found() == []


@pytest.mark.postgres
def test_without_the_locks_an_entry_slips_into_a_closed_month(postgresql_database, make_app, monkeypatch):
    """The control: a close that locks nothing, and the guard without FOR SHARE, let the slower entry in."""
    monkeypatch.setattr(months, "lock_row", lambda uow, model, row_id: uow.session.get(model, row_id))
    owner = create_engine(postgresql_database.owner_url, **engine_options(postgresql_database.owner_url))
    with owner.begin() as connection:
        connection.execute(text(WITHOUT_THE_LOCK))
    owner.dispose()
    app = make_app(postgresql_database)
    inserted, closed = threading.Event(), threading.Event()

    def slow(uow):
        write(uow, "slow")
        inserted.set()
        closed.wait(10)

    def writer():
        with app.app_context():
            perform(slow, clock=lambda: month(0))
            db.session.remove()

    with app.app_context():
        in_month(0, "first")
        db.session.remove()
    hand = threading.Thread(target=writer)
    hand.start()
    inserted.wait(10)
    with app.app_context():
        close(0)
        closed.set()
        hand.join()
        row = db.session.get_one(LedgerPeriod, FIRST_YEAR * 100 + 1)
        assert not months.is_unchanged(db.session(), row)
        assert "a closed month is as it was when it was closed" in found()


def test_with_the_lock_the_close_waits_for_the_slow_entry(app, cast):
    inserted, go_on = threading.Event(), threading.Event()

    def slow(uow):
        write(uow, "slow")
        inserted.set()
        go_on.wait(1)

    def writer():
        with app.app_context():
            perform(slow, clock=lambda: month(0))
            db.session.remove()

    hand = threading.Thread(target=writer)
    with app.app_context():
        in_month(0, "first")
    hand.start()
    inserted.wait(10)
    with app.app_context():
        close(0)
        row = db.session.get_one(LedgerPeriod, FIRST_YEAR * 100 + 1)
        assert (row.entry_count, row.posted_cents) == (2, 200)
        assert months.is_unchanged(db.session(), row)
    hand.join()


def test_what_becomes_known_late_is_booked_in_the_open_month_and_keeps_its_true_date(app, cast):
    with app.app_context():
        in_month(0, "long ago")
        close(0)
        payment = perform(lambda uow: _pay(uow, cast, received_at=month(0)))
        entry = db.session.scalars(select(Entry).where(Entry.cause_type == "payment")).one()

        assert (entry.cause_id, db.session.get_one(Payment, payment).received_at) == (payment, month(0))
        assert entry.period_id == entry.effective_on.year * 100 + entry.effective_on.month
        assert db.session.get_one(LedgerPeriod, entry.period_id).closed_at is None
        assert found() == []


def test_what_may_not_be_closed_is_refused(app, cast, hands):
    with app.app_context():
        in_month(0, "first")
        in_month(1, "second")
        with pytest.raises(Conflict, match="earlier month"):
            close(1)
        with pytest.raises(NotYours):
            close(7)
        with pytest.raises(Conflict, match="not over"):
            perform(
                lambda uow: months.close_month(uow, period_id=FIRST_YEAR * 100 + 1, actor_id=None),
                clock=lambda: month(0),
            )
        close(0)
        with pytest.raises(Conflict, match="closed already"):
            close(0)
        db.session.remove()
    hands[0].write("UPDATE release SET clawed_cents = 1 WHERE released_at IS NULL")
    with app.app_context(), pytest.raises(Conflict, match="not in order"):
        close(1)
    hands[0].write("UPDATE release SET clawed_cents = 0 WHERE released_at IS NULL")


def test_the_command_closes_a_month_and_shows_that_it_stayed_as_it_was(app, cast):
    runner = app.test_cli_runner()
    with app.app_context():
        in_month(0, "first")
        db.session.remove()

    refused = runner.invoke(args=["ledger", "close-month", "1990-02", "--as", "fin@example.com"])
    closed = runner.invoke(args=["ledger", "close-month", "1990-01", "--as", "fin@example.com"])
    listed = runner.invoke(args=["ledger", "months"])

    assert refused.exit_code == 1
    assert closed.output.startswith("1990-01 is closed: 1 entries, $1.00 moved, fingerprint ")
    assert listed.exit_code == 0 and "closed, unchanged" in listed.output
    with app.app_context():
        assert db.session.scalar(select(Entry.period_id).where(Entry.key == "first")) == 199001


def _pay(uow, cast, *, received_at):
    person = uow.session.get_one(Consultant, cast.ben).person_id
    registration = Registration(
        public_id=new_id(),
        person_id=person,
        password_hash="",
        pack="pack",
        state="started",
        started_at=uow.clock(),
    )
    uow.session.add(registration)
    uow.session.flush()
    notice = PaymentNotice("pi_late", 49_00, received_at)
    return record_payment(uow, registration=registration, notice=notice).id
