"""No process begins on a database that would not keep money safe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from portal.config import read_settings
from portal.store.readiness import database_faults, newest_version
from tests.conftest import environment


@pytest.fixture
def settings(database, tmp_path):
    return read_settings(environment(database, tmp_path / "instance"))


def change(database, statement):
    engine = create_engine(database.owner_url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_database_as_the_migrations_leave_it_is_fit(settings):
    assert database_faults(settings) == []


def test_a_guard_that_was_dropped_is_named(settings, database):
    where = " ON posting" if database.engine == "postgresql" else ""
    change(database, f"DROP TRIGGER posting_moves_balances{where}")

    assert database_faults(settings) == ["The database lacks the guard posting_moves_balances."]


def test_another_schema_is_named_with_what_to_do(settings, database):
    change(database, "UPDATE alembic_version SET version_num = '0001'")

    assert database_faults(settings) == [
        f"The database is at version 0001; this code needs {newest_version()}: flask --app wsgi db upgrade"
    ]


@pytest.mark.parametrize("name", ["foreign_keys", "recursive_triggers", "synchronous"])
def test_sqlite_that_does_not_take_a_setting_is_not_worked_with(sqlite_database, tmp_path, name):
    def lose_it(connection, _record):
        connection.execute(f"PRAGMA {name} = 0")

    settings = read_settings(environment(sqlite_database, tmp_path / "instance"))
    event.listen(Engine, "connect", lose_it)
    try:
        faults = database_faults(settings)
    finally:
        event.remove(Engine, "connect", lose_it)

    assert [fault.partition(" instead")[0] for fault in faults] == [f"SQLite runs with {name} = 0"]


@pytest.mark.postgres
def test_in_production_the_books_belong_to_another_role(postgresql_database, tmp_path):
    settings = read_settings(environment(postgresql_database, tmp_path / "instance"))
    production = replace(settings, environment="production")
    owner = replace(production, database_url=postgresql_database.owner_url)

    assert "owns the books" in " ".join(database_faults(owner))
    assert "owns the books" not in " ".join(database_faults(production))


def test_what_is_no_database_is_said_in_a_line(sqlite_database, tmp_path):
    settings = read_settings(environment(sqlite_database, tmp_path / "instance"))
    Path(settings.database_url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 100)

    (fault,) = database_faults(settings)

    assert fault.startswith("The database cannot be used: ")
