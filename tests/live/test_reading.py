"""The live legs of a real database: sales, joins, a new week, a move, people who wait, on both engines."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from portal import live
from portal.commissions import cycles, projection
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.live import LegFigures
from portal.live.reading import LiveLegs
from portal.models import Placement
from portal.store import perform
from tests.people import add_consultant
from tests.shop import add_sale, reverse_sale


@pytest.fixture
def legs(app):
    def read(*consultant_ids):
        with app.app_context():
            found = live.legs(consultant_ids).legs
            return found[0] if len(found) == 1 else found

    return read


@pytest.fixture
def sell(do):
    def record(seller, volume):
        return do(add_sale, seller, volume)

    return record


def test_a_sale_is_in_every_leg_above_at_the_next_read(legs, sell, do, cast):
    assert legs(cast.ana) == LegFigures(0, 0, 1, 1)
    dan = do(add_consultant, "Dan", sponsor=cast.ben, under=(cast.ben, "R"))

    sell(dan, 250_00)
    sell(cast.cem, 80_00)

    assert legs(cast.ana) == LegFigures(250_00, 80_00, 2, 1)
    assert legs(cast.ben) == LegFigures(0, 250_00, 0, 1)
    assert legs(dan) == LegFigures(0, 0, 0, 0)
    assert legs(cast.dia) == LegFigures(0, 0, 0, 0)


def test_a_reversal_takes_its_volume_back(legs, sell, do, cast):
    sale = sell(cast.ben, 250_00)
    assert legs(cast.ana).left == 250_00

    do(reverse_sale, sale)

    assert legs(cast.ana) == LegFigures(0, 0, 1, 1)


def test_what_was_not_committed_is_not_counted(legs, app, cast):
    def fail(uow):
        add_sale(uow, cast.ben, 999_00)
        uow.session.flush()
        assert live.legs([cast.ana]).legs[0].left == 0, "not even in the same request"
        raise LookupError("called off")

    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            with pytest.raises(LookupError):
                perform(fail)

    assert legs(cast.ana).left == 0


def test_who_waits_for_a_place_brings_their_volume_along(legs, sell, do, cast):
    eva = do(add_consultant, "Eva", sponsor=cast.ana)
    legs(cast.ana)
    sell(eva, 40_00)
    assert legs(eva, cast.ana) == [None, LegFigures(0, 0, 1, 1)]

    do(place, eva, under=cast.cem, leg="L")

    assert legs(cast.ana) == LegFigures(0, 40_00, 1, 2)
    assert legs(eva) == LegFigures(0, 0, 0, 0)


def test_a_new_week_begins_at_nothing_and_late_sales_land_in_it(legs, sell, do, cast):
    sell(cast.ben, 250_00)
    assert legs(cast.ana).left == 250_00

    do(end_week)
    assert legs(cast.ana) == LegFigures(0, 0, 1, 1)
    sell(cast.ben, 30_00)

    assert legs(cast.ana) == LegFigures(30_00, 0, 1, 1)


def test_a_move_takes_the_whole_branch_along(legs, sell, do, cast):
    dan = do(add_consultant, "Dan", sponsor=cast.ben, under=(cast.ben, "L"))
    sell(dan, 250_00)
    assert legs(cast.ana) == LegFigures(250_00, 0, 2, 1)

    do(move, cast.ben, under=cast.cem, leg="R")

    assert legs(cast.ana) == LegFigures(0, 250_00, 0, 3)
    assert legs(cast.cem) == LegFigures(0, 250_00, 0, 2)


def test_news_that_an_error_swallowed_are_read_again(legs, sell, cast, monkeypatch):
    legs(cast.ana)
    sell(cast.ben, 250_00)
    with monkeypatch.context() as broken:
        broken.setattr(LiveLegs, "_sell", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            legs(cast.ana)

    assert legs(cast.ana) == LegFigures(250_00, 0, 1, 1)


def test_two_processes_see_the_same(legs, sell, app, do, cast):
    legs(cast.ana)
    sell(cast.ben, 250_00)
    do(add_consultant, "Dan", sponsor=cast.ben, under=(cast.ben, "L"))
    first = legs(cast.ana, cast.ben, cast.cem)

    app.extensions.pop("live")

    assert legs(cast.ana, cast.ben, cast.cem) == first


def test_who_is_below_whom(app, do, cast):
    with app.app_context():
        assert live.below(cast.ana, [cast.ben, cast.dia, cast.ana, 4711]) == {cast.ben}
    dan = do(add_consultant, "Dan", sponsor=cast.ben, under=(cast.ben, "L"))
    eva = do(add_consultant, "Eva", sponsor=cast.ben, under=(dan, "R"))

    with app.app_context():
        assert live.below(cast.ana, [dan, eva]) == {dan, eva}
        assert live.below(dan, [cast.ana, eva, dan]) == {eva}
        assert live.below(cast.cem, [dan, eva]) == set()
        assert live.below(4711, [dan]) == set()


def test_the_projection_comes_to_the_same_legs(legs, sell, app, do, cast):
    dan = do(add_consultant, "Dan", sponsor=cast.ben, under=(cast.ben, "L"))
    for seller, volume in ((dan, 120_00), (cast.ben, 75_50), (cast.cem, 1), (cast.dia, 10_00)):
        sell(seller, volume)
    people = [cast.ana, cast.ben, cast.cem, cast.dia, dan]

    with app.app_context():
        projection.recalculate(db.session(), now=utc_now())
        records = projection.read_many(people)

    projected = [
        LegFigures(found.new_left, found.new_right, found.people_left, found.people_right)
        for found in records
    ]
    assert legs(*people) == projected


def place(uow, consultant_id, *, under, leg):
    uow.session.add(Placement(consultant_id=consultant_id, parent_id=under, leg=leg, valid_from=uow.clock()))


def move(uow, consultant_id, *, under, leg):
    uow.session.execute(
        update(Placement)
        .where(Placement.consultant_id == consultant_id, Placement.valid_until.is_(None))
        .values(valid_until=uow.clock())
    )
    place(uow, consultant_id, under=under, leg=leg)


def end_week(uow):
    cycles.end_if_due(uow, zone=ZoneInfo("America/Denver"), early=True)
