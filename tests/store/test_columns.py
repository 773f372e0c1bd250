"""Many rows of whole numbers come as columns."""

import numpy as np
import pytest
from sqlalchemy import func, literal_column, select, text, union_all

from portal.extensions import db
from portal.models import Entry
from portal.store.columns import read_columns

ROWS = [("3", "NULL"), ("-9000000000", "2"), ("0", "1")]


@pytest.fixture
def session(app):
    with app.app_context():
        yield db.session()


def test_columns_come_in_the_order_of_the_rows_and_null_is_minus_one(session):
    rows = [select(literal_column(one).label("one"), literal_column(two).label("two")) for one, two in ROWS]

    one, two = read_columns(session, union_all(*rows).order_by("one"), width=2)

    assert one.tolist() == [-9_000_000_000, 0, 3]
    assert two.tolist() == [2, 1, -1]
    assert one.dtype == two.dtype == np.int64


def test_no_rows_are_empty_columns(session):
    ids, actors = read_columns(session, select(Entry.id, Entry.actor_id), width=2)

    assert (ids.tolist(), actors.tolist()) == ([], [])


def test_what_is_read_next_comes_as_ever(session):
    read_columns(session, select(Entry.id), width=1)

    assert session.execute(text("SELECT 1, 'a', NULL")).one() == (1, "a", None)


@pytest.mark.postgres
def test_columns_larger_than_the_memory_of_a_query_are_not_put_aside(make_app, postgresql_database):
    with make_app(postgresql_database).app_context():
        session = db.session()
        session.execute(text("SET LOCAL work_mem = '64kB'"))
        many = select(func.generate_series(1, 50_000).label("one"), literal_column("7").label("two"))

        one, two = read_columns(session, many, width=2)
        session.commit()

        assert (one.sum(), two.sum()) == (50_000 * 50_001 // 2, 350_000)
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        written = "SELECT temp_files FROM pg_stat_database WHERE datname = current_database()"
        assert session.scalar(text(written)) == 0
