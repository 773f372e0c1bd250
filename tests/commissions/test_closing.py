"""From sales to booked commission: previewed, approved by two, closed once, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.runs import is_reproducible
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.ledger import statements
from portal.ledger.audit import broken_invariants
from portal.models import Carry, CommissionLine, Consultant, Cycle, Entry, Outbox, Release, Run
from portal.store import perform
from tests.commissions.closes import ZONE, approve, close, end
from tests.people import add_consultant
from tests.shop import add_sale, reverse_sale


def lines():
    rows = db.session.execute(
        select(CommissionLine.consultant_id, CommissionLine.kind, func.sum(CommissionLine.amount_cents))
        .join(Cycle, Cycle.close_run_id == CommissionLine.run_id)
        .group_by(CommissionLine.consultant_id, CommissionLine.kind)
    )
    return {(consultant, kind): int(amount) for consultant, kind, amount in rows}


@pytest.fixture
def sold(app, cast):
    """Ben sells 400.00 and Cem 300.00 of volume below Ana, each at $3,000.00 of revenue."""
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        yield cast


def test_a_closed_week_pays_each_kind_to_the_cent_and_carries_the_rest(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id)

    assert lines() == {
        (sold.ben, "retail"): 150_00,
        (sold.cem, "retail"): 150_00,
        (sold.ana, "direct"): 28_00,
        (sold.ana, "binary"): 30_00,
    }
    assert statements.balances(db.session(), sold.ana).pending == 58_00
    carry = db.session.scalars(
        select(Carry).where(Carry.consultant_id == sold.ana).order_by(Carry.run_id.desc())
    ).first()
    assert (carry.left, carry.right, carry.matched_to_date, carry.paid_to_date_cents) == (
        100_00,
        0,
        300_00,
        30_00,
    )
    assert broken_invariants(db.session()) == []
    keys = set(db.session.scalars(select(Entry.key).where(Entry.cause_type == "run")))
    run_id = db.session.get_one(Cycle, cycle_id).close_run_id
    assert f"run-{run_id}-consultant-{sold.ana}-binary" in keys and len(keys) == 4


def test_matching_names_the_consultant_that_was_matched(sold):
    plan = db.session.get_one(Cycle, sold.cycle).plan_version
    matching = {"rates": ["0.5"], "depth": {}, "compress": False}
    ranks = [{"name": "first", "requires": {}, "matching_depth": 1}]
    plan.document = dict(plan.document) | {"matching": matching, "ranks": ranks}
    sponsor = db.session.get_one(Consultant, sold.ana)
    sponsor.sponsor_id = sold.dia
    db.session.commit()
    perform(lambda uow: add_sale(uow, sold.dia, 100_00, revenue=0))

    approve(end(sold), sold.ada, sold.fin)

    line = db.session.scalars(select(CommissionLine).where(CommissionLine.kind == "matching")).one()
    assert (line.consultant_id, line.source_consultant_id, line.sale_id) == (sold.dia, sold.ana, None)
    assert (line.amount_cents, line.base, line.level) == (15_00, 30_00, 1)


def test_held_until_fourteen_days_after_the_week_or_the_day_after_a_longer_cooling_off(sold):
    cycle = db.session.get_one(Cycle, sold.cycle)
    standard = cycle.until.astimezone(ZONE).date() + timedelta(days=14)
    perform(
        lambda uow: add_sale(uow, sold.dia, 100_00, revenue=1_000_00, signed_on=standard + timedelta(days=2))
    )
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id)

    due = dict(
        db.session.execute(
            select(Release.consultant_id, func.max(Release.due_on)).group_by(Release.consultant_id)
        ).all()
    )
    assert due == {
        sold.ana: standard,
        sold.ben: standard,
        sold.cem: standard,
        sold.dia: standard + timedelta(days=6),
    }


@pytest.mark.parametrize("killed_in", [0, 1])
def test_a_close_killed_in_any_step_and_started_again_gives_the_same_books(sold, killed_in, monkeypatch):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)

    class Killed(BaseException):
        pass

    def kill(uow, **more):
        CLOSE_STEPS[killed_in](uow, **more)
        raise Killed

    with pytest.raises(Killed):
        close(cycle_id, (*CLOSE_STEPS[:killed_in], kill))
    db.session.rollback()
    close(cycle_id)
    close(cycle_id)

    assert sum(lines().values()) == 358_00
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 4
    assert db.session.scalar(select(func.count()).select_from(Run).where(Run.purpose == "close")) == 1
    assert (
        db.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.name == "cycle.closed")) == 1
    )
    assert broken_invariants(db.session()) == []


def test_one_person_alone_cannot_approve(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada)
    run_id = db.session.get_one(Cycle, cycle_id).preview_run_id

    with pytest.raises(Conflict, match="second person"):
        perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=sold.ada))
    with pytest.raises(Conflict, match="two people"):
        close(cycle_id)
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 0


def test_a_new_preview_leaves_earlier_approvals_without_effect(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    perform(partial(cycles.preview, cycle_id=cycle_id))

    with pytest.raises(Conflict, match="previewed"):
        close(cycle_id)


def test_what_changed_after_the_preview_stops_the_close(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)

    def suspend(uow):
        uow.session.get_one(Consultant, sold.ben).status = "suspended"

    perform(suspend)
    with pytest.raises(Conflict, match="changed since the preview"):
        close(cycle_id)
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 0


def test_who_joins_between_the_steps_of_a_close_changes_nothing(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id, CLOSE_STEPS[:1])

    def join_late(uow):
        ended_at = uow.session.get_one(Cycle, cycle_id).ended_at
        late = uow.session.get_one(Consultant, add_consultant(uow, "Lea", sponsor=sold.ana))
        late.joined_at = ended_at - timedelta(seconds=1)

    perform(join_late)
    close(cycle_id)

    assert sum(lines().values()) == 358_00
    assert broken_invariants(db.session()) == []


def test_a_line_that_was_changed_since_the_preview_stops_the_close(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)

    def change(uow):
        line = uow.session.scalars(select(CommissionLine).where(CommissionLine.amount_cents > 0)).first()
        line.amount_cents += 1

    perform(change)
    with pytest.raises(Conflict, match="lines of the approved preview"):
        close(cycle_id)
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 0


def test_the_run_that_was_approved_is_the_run_that_is_closed(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    approved = db.session.get_one(Cycle, cycle_id).preview_run_id

    close(cycle_id)

    assert db.session.get_one(Cycle, cycle_id).close_run_id == approved
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_what_a_refused_close_froze_does_not_bind_the_next_one(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id, CLOSE_STEPS[:1])

    def spoil(uow):
        cycle = uow.session.get_one(Cycle, cycle_id)
        uow.session.get_one(Run, cycle.preview_run_id).output_hash = "0" * 64

    perform(spoil)
    with pytest.raises(Conflict, match="another result") as refusal:
        close(cycle_id)
    perform(partial(cycles.note_refusal, cycle_id=cycle_id, reason=refusal.value.message))
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id)

    assert sum(lines().values()) == 358_00
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 4
    assert broken_invariants(db.session()) == []


def test_a_run_can_be_computed_again_from_what_it_stored(sold):
    cycle_id = end(sold)
    approve(cycle_id, sold.ada, sold.fin)
    close(cycle_id)
    run = db.session.get_one(Run, db.session.get_one(Cycle, cycle_id).close_run_id)
    assert is_reproducible(run)


def test_a_refund_after_the_close_takes_back_what_was_paid_in_the_week_it_happens(sold):
    sale = perform(lambda uow: add_sale(uow, sold.ben, 100_00, revenue=1_000_00))
    first = end(sold)
    approve(first, sold.ada, sold.fin)
    close(first)
    assert statements.balances(db.session(), sold.ben).pending == 200_00

    perform(lambda uow: reverse_sale(uow, sale))
    second = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True))
    approve(second, sold.ada, sold.fin)
    close(second)

    assert lines()[(sold.ben, "retail")] == 150_00
    assert statements.balances(db.session(), sold.ben).pending == 150_00
    assert lines()[(sold.ana, "direct")] == 28_00
    assert broken_invariants(db.session()) == []


def test_a_cycle_waits_for_the_one_before_it(sold):
    end(sold)
    second = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True))
    with pytest.raises(Conflict, match="close that one first"):
        perform(partial(cycles.preview, cycle_id=second))


def test_a_week_ends_by_the_clock_and_the_next_opens_at_once(app, cast):
    with app.app_context():
        until = db.session.get_one(Cycle, cast.cycle).until
        assert perform(lambda uow: cycles.end_if_due(uow, zone=ZONE)) is None

        later = lambda: until + timedelta(days=8)  # noqa: E731
        ended = 0
        while perform(lambda uow: cycles.end_if_due(uow, zone=ZONE), later) is not None:
            ended += 1

        states = [
            (cycle.state, cycle.starts_at)
            for cycle in db.session.scalars(select(Cycle).order_by(Cycle.starts_at))
        ]
        assert ended == 2 and [state for state, _ in states] == ["ended", "ended", "open"]
        assert states[2][1] <= later()
