"""The schema goes up from nothing, down to nothing, up again, and is what the models say, on both engines."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from tests import services
from tests.house import sources
from tools import migrations


def walk(url: str) -> str:
    """Walk the migrations in a process of their own; return what it says."""
    command = [sys.executable, "-m", "tests.house.round_trip", url]
    done = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True)
    return done.stdout or done.stderr


def test_there_is_one_newest_migration():
    assert len(migrations.heads()) == 1


def test_migrations_on_sqlite_go_up_and_down_and_match_the_models(tmp_path):
    assert walk(f"sqlite:///{tmp_path / 'empty.sqlite'}") == "sqlite: up, down, up, no drift"


@pytest.mark.postgres
def test_migrations_on_postgresql_go_up_and_down_and_match_the_models():
    url = services.require_postgres()
    server = url.replace("+psycopg", "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE house_migrations")

        said = walk(url.rpartition("/")[0] + "/house_migrations")

        connection.execute("DROP DATABASE house_migrations WITH (FORCE)")
    assert said == "postgresql: up, down, up, no drift"


def test_the_check_sees_two_newest_migrations(tmp_path):
    (tmp_path / "1.py").write_text('revision = "1"\ndown_revision = None\n')
    (tmp_path / "2.py").write_text('revision: str = "2"\ndown_revision: str | None = "1"\n')
    (tmp_path / "3.py").write_text("revision = '3'\ndown_revision = '1'\n")

    assert migrations.heads(tmp_path) == {"2", "3"}


def test_the_check_sees_a_column_that_no_migration_makes(tmp_path):
    probe = (
        "import sqlalchemy as sa; from portal.extensions import db; import portal.models;"
        "db.metadata.tables['cycle'].append_column(sa.Column('forgotten', sa.Integer));"
        "from tests.house import round_trip; round_trip.main('sqlite:///{}')"
    ).format(tmp_path / "empty.sqlite")

    done = subprocess.run([sys.executable, "-c", probe], cwd=sources.ROOT, capture_output=True, text=True)

    assert "forgotten" in done.stdout
