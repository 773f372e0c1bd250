"""Every read is exact while others commit late, out of order, or not at all (PostgreSQL).

Each check compares the live legs with the whole table in one and the same snapshot of the database.
"""

from __future__ import annotations

import os
import random

import pytest
from sqlalchemy import text

from portal.extensions import db
from portal.live.feed import Watermark
from portal.live.index import LegFigures
from portal.live.reading import LiveLegs
from portal.models import Contract
from tests.live.conftest import SELL

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
CHECKS = 500 * TIMES

pytestmark = pytest.mark.postgres

TRUTH = text("""
    SELECT consultant_id, sum(volume)::bigint FROM sale
     WHERE cycle_id = (SELECT id FROM cycle WHERE state = 'open') GROUP BY consultant_id
""")
PLACES = text("SELECT consultant_id, parent_id, leg FROM placement WHERE valid_until IS NULL")


@pytest.fixture
def app(postgresql_database, make_app):
    return make_app(postgresql_database)


def wrong_reads(app, people, checks: int) -> int:
    """How many of `checks` reads differ from the tables as the same snapshot has them."""
    wrong, chance = 0, random.Random(3)
    with app.app_context():
        live = LiveLegs(db.engine)
        live.legs([people[0]])
        for _ in range(checks):
            asked = [people[0], *chance.sample(people, 5)]
            with (
                db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
                connection.begin(),
            ):
                found = live.seen_by(connection, asked).legs
                truth = walked(connection)
            wrong += any(
                figures != truth[who] for who, figures in zip(asked, found, strict=True) if who in truth
            )
    return wrong


def walked(connection) -> dict[int, LegFigures]:
    sold = {who: int(volume) for who, volume in connection.execute(TRUTH)}
    places = {who: (parent, leg) for who, parent, leg in connection.execute(PLACES)}
    figures = {who: [0, 0, 0, 0] for who in places}
    for who in places:
        below = who
        while (place := places[below])[0] is not None:
            above, side = place[0], 0 if place[1] == "L" else 1
            figures[above][side] += sold.get(who, 0)
            figures[above][side + 2] += 1
            below = above
    return {who: LegFigures(*found) for who, found in figures.items()}


def test_no_read_is_ever_wrong(app, tree, fire):
    people, _, _ = tree

    assert wrong_reads(app, people, CHECKS) == 0


def test_without_asking_for_the_gaps_again_reads_are_wrong(app, tree, fire, monkeypatch):
    """The control: a plain watermark misses what commits late."""
    people, _, _ = tree
    monkeypatch.setattr(Watermark, "ask_again", lambda self, gaps, *, bound: None)

    assert wrong_reads(app, people, 100) > 0


def test_gaps_are_forgotten_once_their_transactions_are_over(app, tree, fire):
    people, _, _ = tree
    with app.app_context():
        live = LiveLegs(db.engine)
        sizes = []
        for _ in range(200):
            live.legs(people[:1])
            sizes.append(len(live._feed._sales.gaps))

    assert max(sizes) < 200, "rolled back numbers do not pile up"


def test_a_transaction_newer_than_the_newest_that_ended_is_waited_for(app, tree, cast):
    """Two begin, the second draws its number first and commits last: a snapshot's own end is below it."""
    people, _, _ = tree
    with app.app_context():
        live = LiveLegs(db.engine)
        before = live.legs(people[:1]).legs[0]
        contract, cycle = db.session.query(Contract.id).first()[0], cast.cycle
        row = {"cycle": cycle, "contract": contract, "seller": cast.ben}
        db.session.rollback()
        with db.engine.connect() as older, db.engine.connect() as newer:
            for connection in (older, newer):
                connection.execute(text("SELECT pg_current_xact_id()"))
            newer.execute(SELL, {**row, "name": "late", "volume": 500_00})
            older.execute(SELL, {**row, "name": "early", "volume": 20_00})
            older.commit()
            assert live.legs(people[:1]).legs[0].left == before.left + 20_00
            assert live.legs(people[:1]).legs[0].left == before.left + 20_00
            newer.commit()

        assert live.legs(people[:1]).legs[0].left == before.left + 520_00
