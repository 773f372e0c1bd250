"""Undoing a close: the wallets are as if it had never been, and closing again is like closing once."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text

from portal.commissions import cycles, undo
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.money import Cents
from portal.ledger.audit import broken_invariants
from portal.ledger.releases import claw_back
from portal.models import Account, Cycle, Entry, Outbox, PayoutSelection, Release, Run
from portal.payouts import company, releases
from portal.store import perform
from tests.commissions.closes import approve, close, end, end_open
from tests.shop import add_sale, reverse_sale

WHY = "The wrong plan was used."


def balances() -> dict[tuple[int, str], int]:
    rows = db.session.execute(
        select(Account.owner_id, Account.purpose, Account.balance).where(
            Account.owner_type == "consultant", Account.balance != 0
        )
    )
    return {(owner, purpose): balance for owner, purpose, balance in rows}


def holds() -> list[tuple[int, ...]]:
    """What waits for its release, without what stands for nothing."""
    left = Release.amount_cents - Release.clawed_cents
    columns = (Release.consultant_id, Release.due_on, Release.amount_cents, Release.clawed_cents)
    waiting = select(*columns).where(Release.released_at.is_(None), left > 0).order_by(Release.id)
    return [tuple(row) for row in db.session.execute(waiting)]


def undo_close(cycle_id, actor, *, at=utc_now):
    perform(partial(undo.request_undo, cycle_id=cycle_id, actor_id=actor, reason=WHY), at)
    perform(partial(undo.undo, cycle_id=cycle_id), at)


@pytest.fixture
def two_weeks(app, cast):
    """A closed week; in the next one its sales are taken back, so that its close claws back and credits."""
    with app.app_context():
        first = perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        close_week(end(cast), cast, window=timedelta(0))
        perform(lambda uow: reverse_sale(uow, first, volume=100_00, revenue=750_00))
        perform(lambda uow: add_sale(uow, cast.cem, 50_00, revenue=100_00))
        yield cast


def close_week(cycle_id, cast, window=timedelta(minutes=30)):
    approve(cycle_id, cast.ada, cast.fin)
    close(cycle_id, window=window)
    return cycle_id


def test_books_after_an_undo_are_those_of_never_having_closed(two_weeks):
    before = balances(), holds()
    week = close_week(end_open(), two_weeks)
    closed = balances(), holds()
    assert closed != before and balances()[two_weeks.ben, "pending"] < before[0][two_weeks.ben, "pending"]

    undo_close(week, two_weeks.ada)

    assert (balances(), holds()) == before
    assert broken_invariants(db.session()) == []
    cycle = db.session.get_one(Cycle, week)
    run = db.session.scalars(select(Run).where(Run.undone_at.is_not(None))).one()
    assert (cycle.state, cycle.close_run_id, cycle.closed_at) == ("previewed", None, None)
    assert (run.undone_by, run.undo_reason) == (two_weeks.ada, WHY)

    close_week(week, two_weeks)
    assert (balances(), holds()) == closed
    assert broken_invariants(db.session()) == []
    again = db.session.get_one(Run, db.session.get_one(Cycle, week).close_run_id)
    assert again.output_hash == run.output_hash and again.id != run.id


def test_every_entry_of_the_run_is_reversed_once_and_stays(two_weeks):
    week = close_week(end_open(), two_weeks)
    run_id = db.session.get_one(Cycle, week).close_run_id
    undo_close(week, two_weeks.ada)
    perform(partial(undo.undo, cycle_id=week))

    entries = db.session.scalars(
        select(Entry).where(Entry.cause_type == "run", Entry.cause_id == run_id)
    ).all()
    first = {entry.id for entry in entries if entry.reverses_id is None}
    assert first and first == {entry.reverses_id for entry in entries if entry.reverses_id is not None}
    undone = select(func.count()).select_from(Outbox).where(Outbox.name == "cycle.undone")
    assert db.session.scalar(undone) == 1


def test_two_jobs_at_once_undo_once(two_weeks, app):
    before = balances()
    week = close_week(end_open(), two_weeks)
    perform(partial(undo.request_undo, cycle_id=week, actor_id=two_weeks.ada, reason=WHY))
    perform(partial(undo.request_undo, cycle_id=week, actor_id=two_weeks.fin, reason="Clicked as well."))
    faults = []

    def job():
        with app.app_context():
            try:
                perform(partial(undo.undo, cycle_id=week))
            except Exception as fault:  # noqa: BLE001
                faults.append(fault)

    both = [threading.Thread(target=job) for _ in range(2)]
    db.session.rollback()
    for each in both:
        each.start()
    for each in both:
        each.join()

    assert faults == [] and balances() == before and broken_invariants(db.session()) == []
    assert db.session.scalars(select(Run.undo_reason).where(Run.undone_at.is_not(None))).all() == [WHY]


def test_after_its_time_a_close_stays(two_weeks):
    week = close_week(end_open(), two_weeks)
    late = lambda: utc_now() + timedelta(minutes=31)  # noqa: E731
    with pytest.raises(Conflict, match="time is over"):
        undo_close(week, two_weeks.ada, at=late)
    with pytest.raises(BadInput, match="say why"):
        perform(partial(undo.request_undo, cycle_id=week, actor_id=two_weeks.ada, reason=" "))


def test_a_job_that_comes_long_after_the_request_undoes_nothing_and_says_so(two_weeks):
    week = close_week(end_open(), two_weeks)
    perform(partial(undo.request_undo, cycle_id=week, actor_id=two_weeks.ada, reason=WHY))
    late = lambda: utc_now() + timedelta(minutes=36)  # noqa: E731
    with pytest.raises(Conflict, match="time is over") as refusal:
        perform(partial(undo.undo, cycle_id=week), late)
    perform(partial(cycles.note_refusal, cycle_id=week, reason=refusal.value.message))

    cycle = db.session.get_one(Cycle, week)
    assert (cycle.state, cycle.undo_requested_at) == ("closed", None)
    assert db.session.get_one(Run, cycle.close_run_id).undone_by is None


def test_while_a_close_can_be_undone_nothing_is_paid_or_released(two_weeks):
    week = close_week(end_open(), two_weeks)
    far = (utc_now() + timedelta(days=60)).date()
    with pytest.raises(Conflict, match="can still be undone"):
        perform(partial(company.select_for_cycle, cycle_id=week, actor_id=two_weeks.fin))
    assert perform(partial(releases.release_due, today=far)) == 0

    later = lambda: utc_now() + timedelta(minutes=31)  # noqa: E731
    assert perform(partial(releases.release_due, today=far), later) > 0
    assert perform(partial(company.select_for_cycle, cycle_id=week, actor_id=two_weeks.fin), later)


def test_a_payout_that_has_begun_keeps_the_close(two_weeks):
    week = close_week(end_open(), two_weeks)

    def begin(uow):
        uow.session.add(
            PayoutSelection(
                public_id="s" * 20,
                cycle_id=week,
                criteria={},
                state="draft",
                created_by=two_weeks.fin,
                created_at=uow.clock(),
            )
        )

    perform(begin)
    with pytest.raises(Conflict, match="being paid out"):
        undo_close(week, two_weeks.ada)


def test_a_close_that_the_next_one_builds_on_stays(two_weeks):
    week = close_week(end_open(), two_weeks)
    close_week(end_open(), two_weeks)
    with pytest.raises(Conflict, match="undo that one first"):
        undo_close(week, two_weeks.ada)


def test_a_cycle_is_not_closed_upon_one_that_was_undone(two_weeks):
    week = close_week(end_open(), two_weeks)
    following = end_open()
    approve(following, two_weeks.ada, two_weeks.fin)
    undo_close(week, two_weeks.ada)
    with pytest.raises(Conflict, match="close that one first"):
        close(following)


def test_an_earlier_yes_does_not_count_after_an_undo(two_weeks):
    week = close_week(end_open(), two_weeks)
    undo_close(week, two_weeks.ada)
    run_id = db.session.get_one(Cycle, week).preview_run_id
    with pytest.raises(Conflict, match="newer preview"):
        perform(partial(cycles.approve, cycle_id=week, run_id=run_id, actor_id=two_weeks.fin))


@pytest.mark.parametrize("cents", [10_00, 2_000_00])
def test_what_a_correction_took_meanwhile_is_taken_as_without_the_close(two_weeks, cents):
    def correct(uow):
        take = {"amount": Cents(cents), "cause": ("test", 1)}
        claw_back(uow, consultant_id=two_weeks.cem, key=f"correct-{utc_now()}", **take)

    week = close_week(end_open(), two_weeks)
    perform(correct)
    undo_close(week, two_weeks.ada)
    after, held = balances(), holds()
    assert broken_invariants(db.session()) == []

    take = {owner: 0 for owner, _ in after}
    for (owner, purpose), balance in after.items():
        take[owner] += -balance if purpose == "receivable" else balance
    before = {two_weeks.ben: 150_00, two_weeks.cem: 150_00 - cents, two_weeks.ana: 58_00}
    assert {owner: total for owner, total in take.items() if total} == before
    assert sum(amount - clawed for _, _, amount, clawed in held) == 208_00 + max(150_00 - cents, 0)


def test_without_remembering_what_was_taken_from_which_hold_the_books_would_break(two_weeks):
    week = close_week(end_open(), two_weeks)
    run = db.session.get_one(Run, db.session.get_one(Cycle, week).close_run_id)
    assert run.taken
    db.session.execute(text("UPDATE run SET taken = '{}' WHERE id = :run"), {"run": run.id})
    db.session.commit()
    undo_close(week, two_weeks.ada)
    assert any("waits for its release" in broken.invariant for broken in broken_invariants(db.session()))
    # These books are thrown away with the test; nobody else may see them broken.
