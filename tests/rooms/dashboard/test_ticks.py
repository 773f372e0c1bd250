"""A tick that finds nothing new: no body, and no query that grows with the company."""

from __future__ import annotations

import pytest
from sqlalchemy import event, func, select, text

from portal.extensions import db
from portal.models import Consultant
from portal.sales import queries as sales
from portal.store import perform
from tests.people import add_consultant
from tests.shop import add_sale

TICK = {"HX-Request": "true", "HX-Request-Type": "partial", "Canopy-Tick": "1"}
STEPS_AT_ONCE = 10
ALLOWED = 1.25


@pytest.fixture
def app(sqlite_app):
    """SQLite counts the steps of its machine, so that what a query costs needs no clock."""
    return sqlite_app


@pytest.fixture
def few(monkeypatch):
    """Newest sales are looked for among 30 instead of 300, so that a test need not make as many."""
    monkeypatch.setattr(sales, "LOOKED_AT", 30)


def steps_of(app, act):
    """How many statements an act runs, and how many steps of the database's machine they take."""
    counted = {"statements": 0, "steps": 0}

    def tick():
        counted["steps"] += STEPS_AT_ONCE
        return 0

    def note(connection, *_rest):
        counted["statements"] += 1
        connection.connection.dbapi_connection.set_progress_handler(tick, STEPS_AT_ONCE)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return counted["statements"], counted["steps"]


def grow(app, cast, project, *, by):
    """So many more people stand below a stranger, and each of them sold."""

    def more(uow):
        last = uow.session.scalar(select(func.max(Consultant.id)))
        for number in range(by):
            name = f"Zed{last}x{number}"
            last = add_consultant(uow, name, sponsor=cast.dia, under=(last, "R"))
            add_sale(uow, last, 10_00)

    with app.app_context():
        perform(more)
    project()


def unchanged_tick(app, visitor, path):
    """An unchanged tick of a page: what it runs; the answer must be 304."""
    shown = visitor.client.get(path, headers=TICK)
    known = TICK | {"Canopy-Tag": shown.headers["Canopy-Tag"]}
    answers = []
    found = steps_of(app, lambda: answers.append(visitor.client.get(path, headers=known)))
    assert (answers[0].status_code, answers[0].data) == (304, b"")
    return found


@pytest.mark.parametrize("path", ["/home", "/team"])
def test_an_unchanged_tick_costs_the_same_in_a_company_ten_times_as_large(
    app, cast, signed_in, project, few, path
):
    ana = signed_in("Ana")
    grow(app, cast, project, by=40)
    statements, steps = unchanged_tick(app, ana, path)
    grow(app, cast, project, by=360)

    more_statements, more_steps = unchanged_tick(app, ana, path)

    assert more_statements == statements <= 20
    assert more_steps <= steps * ALLOWED, f"{steps} steps became {more_steps}"


def test_the_count_sees_a_query_that_grows(app, cast, signed_in, project, few):
    def growing():
        with app.app_context():
            db.session.execute(text("SELECT sum(volume) FROM sale")).scalar()

    grow(app, cast, project, by=40)
    _statements, steps = steps_of(app, growing)
    grow(app, cast, project, by=360)

    assert steps_of(app, growing)[1] > steps * 5
