"""What a process keeps between two projections is always what it would read afresh."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select, update

from portal.commissions import cycles, gathering, warm
from portal.commissions.warm import WarmInputs
from portal.engine import snapshot
from portal.extensions import db
from portal.live.feed import Watermark
from portal.models import Consultant, Cycle, Placement
from tests.commissions.shared_sales import SHARES, change, offer, put_under, sell
from tests.people import add_consultant
from tests.shop import add_sale, reverse_sale

CHECKS = 150 * int(os.environ.get("CANOPY_SOAK", "1"))


@contextmanager
def one_moment(app):
    """A session that sees one moment of the database, and the cycle that is open then."""
    with app.app_context():
        session = db.session()
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session, session.scalar(select(Cycle).where(Cycle.state == "open"))
        session.rollback()


@pytest.fixture
def only_postgresql(database):
    if database.engine == "sqlite":
        pytest.skip("SQLite has one writer at a time, so nothing becomes visible out of order")


@pytest.fixture
def kept():
    return WarmInputs()


@pytest.fixture
def is_true(app, kept):
    """Whether the kept inputs are those of the database now."""

    def ask():
        with one_moment(app) as (session, cycle):
            found, truth = kept.gathered(session, cycle), gathering.gather(session, cycle)
            return (
                np.array_equal(found.consultants, truth.consultants)
                and np.array_equal(found.sales, truth.sales)
                and snapshot.digest(found.inputs) == snapshot.digest(truth.inputs)
            )

    return ask


def set_consultant(uow, consultant_id, **values):
    uow.session.execute(update(Consultant).where(Consultant.id == consultant_id).values(**values))


def move(uow, consultant_id, *, under, leg):
    now = uow.clock()
    uow.session.execute(
        update(Placement)
        .where(Placement.consultant_id == consultant_id, Placement.valid_until.is_(None))
        .values(valid_until=now)
    )
    uow.session.add(Placement(consultant_id=consultant_id, parent_id=under, leg=leg, valid_from=now))


def end_week(uow):
    return cycles.end_if_due(uow, zone=ZoneInfo("America/New_York"), early=True)


def test_every_change_is_seen(is_true, do, cast):
    assert is_true()
    sale = do(add_sale, cast.ben, 250_00)
    assert is_true()
    dan = do(add_consultant, "Dan", sponsor=cast.ben)
    late = do(add_sale, dan, 40_00)
    assert is_true()
    do(reverse_sale, sale)
    assert is_true()
    do(set_consultant, cast.cem, status="suspended")
    assert is_true()
    do(set_consultant, cast.ben, pack="smart")
    assert is_true()
    do(move, cast.ben, under=cast.cem, leg="R")
    assert is_true()
    do(end_week)
    assert is_true()
    do(reverse_sale, late)
    assert is_true()
    do(set_consultant, cast.cem, status="active")
    assert is_true()


def test_people_who_change_time_and_again_are_seen_in_a_past_that_is_not_closed(is_true, do, cast):
    do(add_sale, cast.ben, 250_00)
    do(end_week)
    for turn in range(12):
        do(set_consultant, cast.cem, status=("suspended", "active")[turn % 2])
        assert is_true(), turn


def test_terms_that_share_revenue_are_seen_at_once(is_true, do, cast):
    do(add_sale, cast.cem, 10_00, revenue=10_00)
    assert is_true()
    terms = do(offer, "Volta", "charger", SHARES)
    assert is_true()
    sale = do(sell, cast.ben, terms, revenue=100_00)
    assert is_true()
    other = (terms[0], do(change, terms[0], date(2026, 12, 1), {**SHARES, "vendor": 5900, "consultant": 600}))
    assert is_true()
    do(put_under, sale, other[1])
    assert is_true()
    do(sell, cast.ben, other, revenue=50_00)
    assert is_true()


def test_nothing_new_keeps_the_network_as_it_is(app, kept, do, cast):
    with one_moment(app) as (session, cycle):
        before = kept.gathered(session, cycle).inputs.network

    do(add_sale, cast.ben, 250_00)

    with one_moment(app) as (session, cycle):
        assert kept.gathered(session, cycle).inputs.network is before


@pytest.mark.usefixtures("only_postgresql")
def test_it_stays_true_while_others_write(is_true, fire):
    assert sum(not is_true() for _ in range(CHECKS)) == 0


@pytest.mark.usefixtures("only_postgresql")
def test_without_asking_for_the_gaps_again_it_would_not(is_true, fire, monkeypatch):
    monkeypatch.setattr(Watermark, "ask_again", lambda *_, **__: None)

    assert any(not is_true() for _ in range(CHECKS * 4))


@pytest.mark.usefixtures("only_postgresql")
def test_without_looking_back_at_open_transactions_it_would_not(app, is_true, tree, monkeypatch):
    """A row of a transaction that was open at the last look has a lower number than the next one."""
    assert is_true()
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(update(Consultant).where(Consultant.id == tree[0][3]).values(status="suspended"))
        assert is_true()
        connection.commit()
    assert is_true()

    newest = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    monkeypatch.setattr(warm, "_OLDEST", warm.text(newest))
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(update(Consultant).where(Consultant.id == tree[0][3]).values(status="active"))
        with app.app_context(), db.engine.connect() as another:
            another.execute(update(Consultant).where(Consultant.id == tree[0][4]).values(status="suspended"))
            another.commit()
        assert is_true()
        connection.commit()
    assert not is_true()


def test_an_error_makes_it_read_everything_again(app, kept, is_true, do, cast, monkeypatch):
    assert is_true()
    do(add_sale, cast.ben, 250_00)

    def breaks(*_):
        raise RuntimeError("broken for a test")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(warm, "events_of", breaks)
        with one_moment(app) as (session, cycle):
            kept.gathered(session, cycle)

    assert is_true()
