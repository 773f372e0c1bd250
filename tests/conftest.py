"""What every test may ask for: a migrated database on either engine, an application on it, a visitor."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, make_url, text

from portal import create_app, enable_migrations
from portal.extensions import db, redis
from portal.kernel import clock
from portal.store import perform
from tests import services
from tests.html import Visitor
from tests.people import Cast, invite_cast

pytest_plugins = ["tests.services"]

SECRET = "a-secret-for-tests-a-secret-for-tests"
APPLICATION_ROLE = "canopy_application"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """A fresh migrated database: the application's address and the owner's."""

    engine: str
    url: str
    owner_url: str


def environment(database: Database, instance: Path, **more: str) -> dict[str, str]:
    """The settings of an application under test."""
    return {
        "CANOPY_ENV": "development",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": database.url,
        "DATABASE_OWNER_URL": database.owner_url,
        "CANOPY_INSTANCE": str(instance),
        "CANOPY_RATE_LIMITS": "off",
        "CANOPY_UNDO_MINUTES": "0",
        **more,
    }


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    file = folder / "template.sqlite"
    migrate(Database("sqlite", f"sqlite:///{file}", f"sqlite:///{file}"), folder)
    return file


@pytest.fixture(scope="session")
def postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated template database, and a role that owns none of it."""
    server = services.require_postgres()
    _execute(server, "DROP DATABASE IF EXISTS canopy_template WITH (FORCE)")
    _execute(
        server,
        f"DO $$ BEGIN CREATE ROLE {APPLICATION_ROLE} LOGIN PASSWORD 'application';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    )
    _execute(server, "CREATE DATABASE canopy_template")
    migrate(_postgresql_database(server, "canopy_template"), tmp_path_factory.mktemp("template"))
    return "canopy_template"


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Database:
    file = tmp_path / "canopy.sqlite"
    shutil.copy(sqlite_template, file)
    return Database("sqlite", f"sqlite:///{file}", f"sqlite:///{file}")


@pytest.fixture
def postgresql_database(postgresql_template: str) -> Iterator[Database]:
    server = services.require_postgres()
    name = f"canopy_test_{next(_numbers)}"
    _execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {postgresql_template} STRATEGY file_copy")
    yield _postgresql_database(server, name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """Each test that asks for it runs on both engines."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture
def make_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Flask]]:
    """Builds applications on a database; lets go of their connections and of a moved clock afterwards."""
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    apps: list[Flask] = []

    def make(database: Database, **more: str) -> Flask:
        app = create_app(environment(database, tmp_path / "instance", **more))
        app.config["TESTING"] = True
        redis.client.flushdb()
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(database: Database, make_app: Callable[..., Flask]) -> Flask:
    """The application on both engines, one after the other."""
    return make_app(database)


@pytest.fixture
def sqlite_app(sqlite_database: Database, make_app: Callable[..., Flask]) -> Flask:
    """The application on SQLite alone, for what does not depend on the engine."""
    return make_app(sqlite_database)


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Ana sponsors Ben (left) and Cem (right); Dia is a stranger; Fin and Ada keep the company."""
    return invite_cast(app)


@pytest.fixture
def do(app: Flask) -> Callable[..., Any]:
    """`do(service, name=value, …)`: one call in its own unit of work and application context."""

    def call(service: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with app.app_context():
            return perform(lambda uow: service(uow, *values, **named))

    return call


@pytest.fixture
def visitor(app: Flask) -> Callable[[], Visitor]:
    """A new browser without JavaScript at each call."""
    return lambda: Visitor(app)


def _postgresql_database(server: str, name: str) -> Database:
    owner = make_url(server).set(database=name)
    application = owner.set(username=APPLICATION_ROLE, password="application")
    return Database(
        "postgresql",
        application.render_as_string(hide_password=False),
        owner.render_as_string(hide_password=False),
    )


def migrate(database: Database, instance: Path) -> None:
    from flask_migrate import upgrade

    app = create_app(environment(database, instance))
    enable_migrations(app)
    with app.app_context():
        upgrade()
        db.engine.dispose()
    if database.engine == "sqlite":
        engine = create_engine(database.url)
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()


def _execute(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
