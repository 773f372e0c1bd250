"""What you need: the engine's distances of everybody, live, in words that sell nobody anything."""

from __future__ import annotations

import pytest

from portal.commissions import needs
from portal.commissions.gathering import gather
from portal.commissions.standings import standing
from portal.engine import Plan, calculate, explain
from portal.extensions import db
from portal.models import Consultant, Cycle, PlanVersion
from portal.store import perform
from tests.commissions.closed import closed
from tests.people import add_consultant
from tests.shop import add_sale

RANKS = [
    {"name": "bronze", "requires": {"weak_leg_volume": "500.00", "sponsored_active": 2}},
    {"name": "silver", "requires": {"weak_leg_volume": "900.00", "leg_rank": "bronze"}},
]


@pytest.fixture
def ranked(app, cast):
    """The plan has two ranks, asks for 100 volume to be active and keeps carry for two inactive cycles."""

    def write(uow):
        plan = uow.session.get_one(PlanVersion, uow.session.get_one(Cycle, cast.cycle).plan_version_id)
        binary = dict(plan.document["binary"]) | {"carry_cycles": 2, "min_match": "50.00"}
        activity = {"personal_volume": "100.00", "window_cycles": 1}
        plan.document = dict(plan.document) | {"ranks": RANKS, "binary": binary, "activity": activity}
        plan.sha256 = Plan.parse(plan.document).version

    with app.app_context():
        perform(write)
    return cast


def told(app, consultant_id):
    with app.app_context():
        session = db.session()
        found = needs.needs_of(session, session.get_one(Consultant, consultant_id), standing(consultant_id))
        assert found is not None
        return found.missing, found.expires, found.next_pay


def test_everybody_s_distances_are_those_of_the_engine(app, ranked, do, project):
    eve = do(add_consultant, "Eve", sponsor=ranked.ben, under=(ranked.ben, "L"))
    for seller, volume in ((ranked.ana, 100_00), (ranked.ben, 600_00), (ranked.cem, 40_00), (eve, 120_00)):
        do(add_sale, seller, volume)
    project()

    with app.app_context():
        gathered = gather(db.session(), db.session.get_one(Cycle, ranked.cycle))
        result = calculate(gathered.inputs)
        everybody = [(at, int(who)) for at, who in enumerate(gathered.consultants)]
    for at, who in everybody:
        expected = explain(result, at)
        assert told(app, who) == (list(expected.missing), list(expected.expires), expected.next_pay), who


def test_the_panel_says_what_is_missing_and_carries_the_income_line(app, ranked, do, project, signed_in):
    do(add_sale, ranked.ben, 600_00)
    do(add_sale, ranked.cem, 40_00)
    with app.app_context():
        closed(ranked.cycle, ranked.ada, ranked.fin)
    do(add_sale, ranked.cem, 40_00)
    project()
    ana = signed_in("Ana")

    ana.visit("/home")

    for words in (
        "What you need",
        "To be active 100 volume from your own customers",
        "To be paid for matches 1 active person whom you sponsored, on your left",
        "To the rank Bronze",
        "500 volume on your left",
        "460 volume on your right",
        "2 more active people whom you sponsored",
        "600 volume on your left It expires when this cycle ends, unless you are active by then",
        "Nothing that you buy for yourself is needed.",
        "consultants earned nothing.",
    ):
        assert words in ana.words, words


def test_carry_says_for_how_long_it_is_kept(app, ranked, do, project, signed_in):
    do(add_sale, ranked.ben, 600_00)
    project()
    ana = signed_in("Ana")

    ana.visit("/rank")
    assert "600 volume on your left It expires after 1 more cycle without your being active" in ana.words
    do(add_sale, ranked.ana, 100_00)
    project()
    ana.visit("/rank")

    assert "It expires after 2 more cycles without your being active" in ana.words


def test_it_moves_with_every_sale_before_the_next_projection(app, ranked, do, project, signed_in):
    do(add_sale, ranked.ben, 300_00)
    project()
    ana = signed_in("Ana")
    ana.visit("/rank")
    assert "200 volume on your left" in ana.words and "300 of 500" in ana.words

    do(add_sale, ranked.ben, 150_00)
    ana.visit("/rank")

    assert "50 volume on your left" in ana.words and "450 of 500" in ana.words


def test_the_rank_that_is_held_was_paid_and_was_best_are_three_things(app, ranked, do, project, signed_in):
    for seller, volume in ((ranked.ana, 100_00), (ranked.ben, 600_00), (ranked.cem, 600_00)):
        do(add_sale, seller, volume)
    with app.app_context():
        closed(ranked.cycle, ranked.ada, ranked.fin)
    do(add_sale, ranked.ana, 100_00)
    project()
    ana = signed_in("Ana")

    ana.visit("/rank")
    assert "Projected none Paid as in the last closed cycle Bronze Best ever Bronze" in ana.words
    ana.visit("/rank/history")

    assert "Bronze 600 600" in ana.words


def test_before_anything_was_projected_nothing_is_promised(app, cast, signed_in):
    ana = signed_in("Ana")

    ana.visit("/rank")
    assert "Figures follow in a moment" in ana.words
    ana.visit("/rank/history")
    assert "No cycle is closed yet" in ana.words
    ana.visit("/home")
    assert "What you need" not in ana.words


def test_the_next_cent_is_told_and_what_waits_beside_it(app, ranked, do, project, signed_in):
    """At 10 % of a volume that is worth a dollar, 0.05 more is half a cent, which rounds up."""

    def without_least_match(uow):
        plan = uow.session.get_one(PlanVersion, uow.session.get_one(Cycle, ranked.cycle).plan_version_id)
        binary = dict(plan.document["binary"]) | {"min_match": "0.00"}
        plan.document = dict(plan.document) | {"binary": binary}
        plan.sha256 = Plan.parse(plan.document).version

    do(without_least_match)
    for seller, volume in ((ranked.ben, 600_00), (ranked.cem, 140_00)):
        do(add_sale, seller, volume)
    project()
    ana = signed_in("Ana")
    ana.visit("/rank")
    assert "Volume is not paid for before you are active and qualified." in ana.words

    do(add_sale, ranked.ana, 100_00)
    project()
    ana.visit("/rank")

    assert "0.05 volume on your right pays the next cent." in ana.words
    assert "460 volume on your left waits for a match." in ana.words
    assert "460 volume on your right" not in ana.words.split("To the rank")[0]
