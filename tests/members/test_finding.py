"""Consultants are found by code, e-mail and how their names begin, page by page, and by indexes alone."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text

from portal.extensions import db
from portal.members.finding import find_people
from portal.models import Consultant, Person
from portal.store import perform
from tests.people import add_consultant

NAMES = ("Maya Torres", "Tora Maynard", "Élan Torres", "Maria del Mar Ott", "Tom O_Neil", "Cher", "Mat May")


@pytest.fixture
def people(app, cast, do):
    """Their codes by name."""
    for name in NAMES:
        do(add_consultant, name, sponsor=cast.ana)
    do(
        lambda uow: uow.session.add(
            Person(public_id="x" * 20, name="Maya Lead", email="", created_at=uow.clock())
        )
    )
    with app.app_context():
        return {one.person.name: one.code for one in db.session.query(Consultant)}


@pytest.fixture
def found(app, people):
    def names(asked, **more):
        with app.app_context():
            return [one.person.name for one in find_people(db.session(), asked, **more)]

    return names


def test_who_is_asked_for_by_code_or_whole_address_is_found_alone(found, people):
    assert found(people["Maya Torres"].lower()) == ["Maya Torres"]
    assert found(" Ben@example.com ") == ["Ben"]
    assert found("ben@") == []


def test_first_names_come_before_last_names_and_customers_not_at_all(found):
    assert found("may") == ["Maya Torres", "Mat May", "Tora Maynard"]
    assert found("TOR") == ["Tora Maynard", "Maya Torres", "Élan Torres"]
    assert found("maya  torres") == ["Maya Torres"]
    assert found("ott") == ["Maria del Mar Ott"]
    assert found("cher") == ["Cher"], "one who has but one name is named once"


def test_signs_with_a_meaning_in_databases_have_none_here(found):
    assert found("%") == found("_") == found("\x00") == found("may", after="\x00") == []
    assert found("o_n") == ["Tom O_Neil"] and found("o-n") == []


@pytest.mark.parametrize("asked", ["", "m", "t", "o"])
def test_pages_of_one_hold_everybody_once_in_the_order_of_one_page(app, people, found, asked):
    whole, walked, after = found(asked), [], ""
    while True:
        with app.app_context():
            page = find_people(db.session(), asked, after=after, most=1)
            if not page:
                break
            walked.append(page[0].person.name)
            after = page[0].public_id

    assert walked == whole and len(set(whole)) == len(whole) > 0


def test_nothing_is_asked_that_reads_all_names(app, people):
    """The plan of each question of a search, among so many that reading all of them would cost more."""
    _crowd(app)
    behind = _public_id(app, "Mat May")
    plans = _plans(app, "may") + _plans(app, "may", after=behind) + _plans(app, "a@example.com")
    assert [plan for plan in plans if any(word in plan for word in SCANS)] == []


def test_the_check_sees_a_question_that_reads_all_names(app, people):
    with app.app_context():
        assert any(
            word in _plan_of("SELECT id FROM person WHERE substr(name, 1, 3) = 'May'", {}) for word in SCANS
        )


SCANS = ("Seq Scan", "SCAN")


def _crowd(app):
    with app.app_context():
        perform(lambda uow: uow.session.execute(text(CROWD)) and None)
        perform(lambda uow: uow.session.execute(text(MEMBERS)) and None)


CROWD = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
    INSERT INTO person (public_id, name, email, country, created_at)
    SELECT 'crowd' || i, 'Zed' || i || ' Zog' || i, 'z' || i || '@example.com', 'US', CURRENT_TIMESTAMP FROM n
"""
MEMBERS = """
    INSERT INTO consultant (public_id, code, person_id, sponsor_id, pack, status, preference, joined_at)
    SELECT public_id, public_id, id, (SELECT min(id) FROM consultant), 'pack', 'active', 'weaker', created_at
    FROM person WHERE public_id LIKE 'crowd%'
"""


def _public_id(app, name):
    with app.app_context():
        wanted = select(Consultant.public_id).join(Person, Person.id == Consultant.person_id)
        return db.session.scalars(wanted.where(Person.name == name)).one()


def _plans(app, asked, **more):
    asked_of = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked_of.append((statement, parameters))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        find_people(db.session(), asked, **more)
        event.remove(db.engine, "before_cursor_execute", note)
        return [_plan_of(*each) for each in asked_of]


def _plan_of(statement, parameters):
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    rows = db.session.connection().exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
