"""A run keeps what was lost in it: sums that add up, and a row for whoever lost something."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.engine.breakage import HOLDING, LOSSES
from portal.extensions import db
from portal.models import Cycle, Loss, Run
from portal.store import perform
from tests.commissions.closes import approve, close, end
from tests.shop import add_sale


@pytest.fixture
def capped(app, cast):
    """Ana may earn $20.00 a week for matching; Ben and Cem sell 300.00 and 400.00 of volume below her."""
    with app.app_context():
        plan = db.session.get_one(Cycle, cast.cycle).plan_version
        binary = dict(plan.document["binary"]) | {"cap": {"money": {"plus": "20.00"}}}
        plan.document = dict(plan.document) | {"binary": binary}
        db.session.commit()
        perform(lambda uow: add_sale(uow, cast.ben, 300_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 400_00, revenue=3_000_00))
        yield cast


def rows():
    found = db.session.scalars(select(Loss).order_by(Loss.run_id, Loss.consultant_id))
    return [(row.consultant_id, row.rule, row.left, row.right, row.cents, row.held_cents) for row in found]


def test_a_close_keeps_what_a_cap_held_back_and_its_sums_add_up(capped):
    cycle_id = end(capped)
    approve(cycle_id, capped.ada, capped.fin)
    close(cycle_id)

    run = db.session.get_one(Run, db.session.get_one(Cycle, cycle_id).close_run_id)
    assert rows()[-1] == (capped.ana, "money_cap", 0, 0, 0, 10_00)
    money = run.breakage["money"]
    assert money["lost"] == dict.fromkeys(LOSSES, 0) | {"pool": 0}
    assert money["held"] == dict.fromkeys(HOLDING, 0) | {"money_cap": 10_00}
    assert run.breakage["most_held"] == {"money_cap": [[capped.ana, 0, 0, 10_00]]}
    assert money["earned"] == money["paid"] + 10_00 == run.totals["paid_cents"] + 10_00
    assert run.breakage["legs"]["left"] == {
        "carried_in": 0,
        "new": 300_00,
        "restored": 0,
        "matched": 200_00,
        "lost": dict.fromkeys(LOSSES[:-1], 0),
        "carried_out": 100_00,
    }


def test_a_newer_preview_leaves_no_rows_of_the_older_one(capped):
    cycle_id = end(capped)
    approve(cycle_id)
    approve(cycle_id)

    assert rows() == [(capped.ana, "money_cap", 0, 0, 0, 10_00)]


def test_what_a_cap_consumes_is_lost_for_good(capped):
    plan = db.session.get_one(Cycle, capped.cycle).plan_version
    plan.document = dict(plan.document) | {"binary": dict(plan.document["binary"]) | {"over_cap": "consume"}}
    db.session.commit()
    approve(end(capped))

    assert rows() == [(capped.ana, "money_cap", 100_00, 100_00, 10_00, 0)]
