"""A run that was kept is computed again: all of it is the same, and whatever was touched is named."""

from __future__ import annotations

import dataclasses
import zlib

import pytest
from sqlalchemy import delete, insert, select, text, update

from portal.commissions import kept as kept_runs
from portal.commissions import replay as replaying
from portal.commissions.replay import replay
from portal.engine import Plan, snapshot
from portal.extensions import db
from portal.models import Carry, CommissionLine, Consultant, Cycle, PaidRank, PlanVersion, Run
from portal.store import perform
from tests.commissions.closed import closed, previewed, run_of
from tests.people import add_consultant
from tests.shop import add_sale, reverse_sale

RANKS = [{"name": "bronze", "requires": {"weak_leg_volume": "100.00"}}]


@pytest.fixture
def sold(app, cast):
    """Ben and Cem sell below Ana, one of Ben's sales is taken back in part; the plan has a rank."""
    with app.app_context():
        plan = db.session.get_one(Cycle, cast.cycle).plan_version
        matching = {"rates": ["0.5"], "depth": {"plus": 1}}
        perform(lambda uow: _set_plan(uow, plan.id, {"ranks": RANKS, "matching": matching}))
        sale = perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: reverse_sale(uow, sale, volume=50_00, revenue=1_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        yield cast


def _set_plan(uow, plan_id, parts):
    plan = uow.session.get_one(PlanVersion, plan_id)
    plan.document = dict(plan.document) | parts
    plan.sha256 = Plan.parse(plan.document).version


def change(statement):
    perform(lambda uow: uow.session.execute(statement) and None)


def told(run_id):
    return [
        (found.what, found.code, found.kind, found.stored, found.computed)
        for found in replay(db.session(), run_of(run_id)).differences
    ]


def code_of(consultant_id):
    return db.session.get_one(Consultant, consultant_id).code


def test_a_closed_run_is_the_same_in_every_row(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)

    found = replay(db.session(), run_of(run_id))

    run = run_of(run_id)
    assert (found.differences, found.more, found.same_code) == ([], 0, True)
    assert (found.input_hash, found.output_hash) == (run.input_hash, run.output_hash)
    assert found.plan_hash == run.plan_sha256 == db.session.get_one(Cycle, sold.cycle).plan_version.sha256
    assert found.lines > 5 and found.carries >= 1


def test_a_week_that_builds_on_another_with_a_refund_of_it_is_the_same_too(sold):
    sale = perform(lambda uow: add_sale(uow, sold.ben, 100_00, revenue=1_000_00))
    closed(sold.cycle, sold.ada, sold.fin)
    perform(lambda uow: reverse_sale(uow, sale))
    second = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()

    run_id = closed(second, sold.ada, sold.fin)

    assert told(run_id) == []
    assert run_of(run_id).input_hash


def test_it_goes_through_the_people_some_at_a_time(sold, monkeypatch):
    monkeypatch.setattr(replaying, "_CONSULTANTS_AT_ONCE", 2)
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    assert told(run_id) == []
    change(update(CommissionLine).where(CommissionLine.run_id == run_id).values(level=7))

    found = replay(db.session(), run_of(run_id))

    assert len(found.differences) == 2 * found.lines


def test_a_changed_amount_is_named_with_whose_it_is_and_of_which_kind(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    binary = (CommissionLine.run_id == run_id, CommissionLine.kind == "binary")
    change(update(CommissionLine).where(*binary).values(amount_cents=30_01))

    assert told(run_id) == [("line", code_of(sold.ana), "binary", "30.01 on 300.00", "30.00 on 300.00")]


def test_a_line_that_is_gone_and_one_that_nobody_computed_are_named(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    change(delete(CommissionLine).where(CommissionLine.run_id == run_id, CommissionLine.kind == "binary"))
    row = {
        "run_id": run_id,
        "consultant_id": sold.dia,
        "kind": "pool",
        "amount_cents": 5,
        "base": 0,
        "level": 0,
    }
    change(insert(CommissionLine).values(row))

    assert sorted(told(run_id)) == sorted(
        [
            ("line", code_of(sold.ana), "binary", "", "30.00 on 300.00"),
            ("line", code_of(sold.dia), "pool", "0.05 on 0.00", ""),
        ]
    )


def test_a_line_that_stands_there_twice_is_named(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    twice = text(
        "INSERT INTO commission_line (run_id, consultant_id, kind, amount_cents, base, level) SELECT run_id,"
        f" consultant_id, kind, amount_cents, base, level FROM commission_line WHERE run_id = {run_id}"
        " AND kind = 'binary'"
    )
    change(twice)

    assert [found[:3] for found in told(run_id)] == [("line", code_of(sold.ana), "binary")]


def test_a_changed_carry_and_a_changed_rank_are_named(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    own = (Carry.run_id == run_id, Carry.consultant_id == sold.ana)
    change(update(Carry).where(*own).values(left=1))
    change(delete(PaidRank).where(PaidRank.run_id == run_id))

    assert told(run_id) == [
        ("carry", code_of(sold.ana), "carry_left", "1", "5000"),
        ("rank", code_of(sold.ana), "", "", "bronze"),
    ]


@pytest.mark.parametrize(("column", "what"), [("input_hash", "inputs"), ("output_hash", "result")])
def test_a_changed_hash_is_named(sold, column, what):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    true = getattr(run_of(run_id), column)
    change(update(Run).where(Run.id == run_id).values({column: "0" * 64}))

    assert told(run_id) == [(what, "", "", "0" * 64, true)]


def test_inputs_that_were_changed_cleverly_are_found_by_their_hash(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    inputs = kept_runs.kept(run_of(run_id)).inputs
    volume = inputs.events.volume.copy()
    volume[0] += 100_00
    other = dataclasses.replace(inputs, events=dataclasses.replace(inputs.events, volume=volume))
    change(update(Run).where(Run.id == run_id).values(inputs=snapshot.freeze(other)))

    assert {"inputs", "result", "line", "carry"} <= {found[0] for found in told(run_id)}


def test_inputs_that_cannot_be_read_are_said_to_be_so(sold):
    run_id = closed(sold.cycle, sold.ada, sold.fin)
    change(update(Run).where(Run.id == run_id).values(inputs=zlib.compress(b"nothing")))

    assert [found[0] for found in told(run_id)] == ["inputs"]


def test_a_preview_that_was_replaced_is_proven_by_its_hashes(sold):
    first = previewed(sold.cycle)
    perform(lambda uow: add_consultant(uow, "Eve", sponsor=sold.ana) and None)
    second = previewed(sold.cycle)

    replaced, stands = (replay(db.session(), run_of(run_id)) for run_id in (first, second))

    assert replaced.is_same and replaced.lines is None
    assert stands.is_same and stands.lines > 5
