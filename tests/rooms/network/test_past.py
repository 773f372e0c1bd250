"""The team on an earlier day: places, legs, ranks and carry as they were, read only, by the rights of now."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select, update

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.engine import Plan
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members import moves
from portal.members.moves import Wish
from portal.models import Consultant, Cycle, Pack, Placement, PlanVersion
from portal.store import perform
from tests.people import add_consultant
from tests.shop import add_sale

ZONE = ZoneInfo("America/Denver")
WHY = "Placed on the wrong side by mistake"
RANKS = [{"name": "bronze", "requires": {"weak_leg_volume": "100.00"}}]


def ranked(uow, cycle_id):
    plan = uow.session.get_one(PlanVersion, uow.session.get_one(Cycle, cycle_id).plan_version_id)
    plan.document = dict(plan.document) | {"ranks": RANKS}
    plan.sha256 = Plan.parse(plan.document).version


@pytest.fixture
def story(app, cast):
    """Eve stood left of Ben until ten days ago, now right of Cem: her id, a day before, her public id."""

    def build(uow):
        ranked(uow, cast.cycle)
        eve = add_consultant(uow, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
        add_sale(uow, eve, 400_00)
        add_sale(uow, cast.cem, 150_00)
        return eve, moves.propose(uow, Wish(eve, cast.cem, "R", WHY), actor_id=cast.ada).id

    with app.app_context():
        eve, move = perform(build)
        perform(lambda uow: moves.approve(uow, move_id=move, actor_id=cast.fin) and None)
        perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
        run = perform(lambda uow: cycles.preview(uow, cycle_id=cast.cycle).id)
        for person in (cast.ada, cast.fin):
            perform(partial(cycles.approve, cycle_id=cast.cycle, run_id=run, actor_id=person))
        for step in CLOSE_STEPS:
            perform(partial(step, cycle_id=cast.cycle, zone=ZONE))
        perform(lambda uow: shift(uow, cast.cycle))
        return eve, (utc_now() - timedelta(days=13)).astimezone(ZONE).date(), public(eve)


def shift(uow, cycle_id):
    """Date everything back: placed thirty days ago, moved ten days ago, the cycle over fifteen days ago."""
    old, moved = utc_now() - timedelta(days=30), utc_now() - timedelta(days=10)
    placed = update(Placement)
    uow.session.execute(placed.where(Placement.valid_until.is_not(None)).values(valid_until=moved))
    newest = select(Placement.id).order_by(Placement.id.desc()).limit(1).scalar_subquery()
    uow.session.execute(placed.where(Placement.id != newest).values(valid_from=old))
    uow.session.execute(placed.where(Placement.id == newest).values(valid_from=moved))
    over = {"starts_at": old, "until": utc_now() - timedelta(days=15)}
    uow.session.execute(update(Cycle).where(Cycle.id == cycle_id).values(**over))


def public(consultant_id):
    return db.session.get_one(Consultant, consultant_id).public_id


def test_the_tree_of_a_day_shows_the_old_places_with_rank_and_carry(app, story, signed_in, cast):
    _, day, eve_id = story
    ana = signed_in("Ana")
    with app.app_context():
        ben, cem = public(cast.ben), public(cast.cem)

    ana.visit(f"/team?on={day}")
    assert "Your team as it was on" in ana.words and "Nothing can be changed here." in ana.words
    assert "Bronze" in ana.words and "Left 400 Right 150" in ana.words
    assert "Carried over, left 250" in ana.words
    assert f'href="/team/{ben}?on={day}"' in ana.page.text, "links stay on that day"

    ana.visit(f"/team/{ben}?on={day}")
    assert f"/team/{eve_id}?on={day}" in ana.page.text
    ana.visit(f"/team/{cem}?on={day}")
    assert eve_id not in ana.page.text

    ana.visit(f"/team/{cem}")
    assert eve_id in ana.page.text, "today she stands below Cem"
    ana.visit(f"/team/{ben}")
    assert eve_id not in ana.page.text


def test_the_way_to_somebody_is_that_of_the_day(story, signed_in):
    _, day, eve_id = story
    ana = signed_in("Ana")

    ana.visit(f"/team/{eve_id}?on={day}")
    assert "Ben" in ana.words and "Cem" not in ana.words
    ana.visit(f"/team/{eve_id}")
    assert "Cem" in ana.words and "Ben" not in ana.words.replace("sponsored by Ben", "")


def test_a_day_of_the_past_is_never_polled_and_offers_nothing_to_do(app, story, signed_in, do, cast):
    _, day, _ = story
    do(add_consultant, "Nia", sponsor=cast.ana)
    ana = signed_in("Ana")

    ana.visit(f"/team?on={day}")
    assert "tick from:body" not in ana.page.text
    assert "Place someone here" not in ana.words and "waits for a spot" not in ana.words
    ana.visit("/team")

    assert "tick from:body" in ana.page.text and "Place someone here" in ana.words


def test_rights_are_those_of_now(app, story, signed_in):
    """Ben has lost Eve: her place in his past is shown without her, and her page is not there."""
    _, day, eve_id = story
    ben = signed_in("Ben")

    ben.visit(f"/team?on={day}")

    assert eve_id not in ben.page.text and "Not in your team any more" in ben.words
    assert ben.visit(f"/team/{eve_id}?on={day}").status_code == 404
    cem = signed_in("Cem")
    assert cem.visit(f"/team/{eve_id}").status_code == 200
    assert cem.visit(f"/team/{eve_id}?on={day}").status_code == 404, "she was not in Cem's team then"


def test_levels_that_a_plan_hides_stay_hidden_in_the_past(app, story, signed_in):
    _, day, eve_id = story
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Pack, "plus"), "features", {"tree_levels": 1}))

    assert signed_in("Ana").visit(f"/team/{eve_id}?on={day}").status_code == 404


@pytest.mark.parametrize("on", ["2999-01-01", "soon", "", "2026-13-40", "0001-01-01"])
def test_a_day_that_is_none_or_to_come_shows_today(story, signed_in, on):
    ana = signed_in("Ana")

    ana.visit(f"/team?on={on}")

    assert "Your team as it was" not in ana.words


def test_before_the_first_cycle_was_over_there_are_no_ranks(story, signed_in):
    ana = signed_in("Ana")

    ana.visit(f"/team?on={(utc_now() - timedelta(days=20)).date()}")

    assert "No cycle was over by then" in ana.words and "No rank" in ana.words


def test_a_day_of_the_past_costs_as_many_queries_for_many_as_for_few(app, story, signed_in, do, cast):
    _, day, _ = story
    ana, statements = signed_in("Ana"), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    counts, parent = [], cast.dia
    for more in (0, 12):
        for number in range(more):
            parent = do(add_consultant, f"P{number}", sponsor=cast.dia, under=(parent, "L"))
        ana.visit(f"/team?on={day}")
        statements.clear()
        ana.visit(f"/team?on={day}")
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 16, statements
