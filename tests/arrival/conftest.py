"""Companies that move: one with a past, and empty ones to move into."""

from __future__ import annotations

import shutil
from random import Random

import pytest
from sqlalchemy import select

from portal import create_app
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import AccountUser
from portal.store import perform
from tests.arrival import companies
from tests.conftest import Database, environment
from tests.people import add_user


@pytest.fixture(scope="session")
def old_company(sqlite_template, tmp_path_factory):
    """Three weeks computed here and exported, then a fourth: the files, that week's sales, what it found."""
    home = tmp_path_factory.mktemp("old-company")
    file, folder = home / "old.sqlite", home / "export"
    shutil.copy(sqlite_template, file)
    app = create_app(environment(Database("sqlite", f"sqlite:///{file}", f"sqlite:///{file}"), home))
    rng = Random(11)
    with app.app_context():
        staff, people = companies.found_company()
        for _ in range(companies.WEEKS):
            companies.sell(companies.draw_week(rng, len(people)), people)
            companies.close_week(staff)
        companies.release(utc_now())
        companies.export(folder)
        fourth = companies.draw_week(rng, len(people))
        companies.sell(fourth, people)
        found = companies.found_in(companies.close_week(staff))
        db.session.remove()
        db.engine.dispose()
    return folder, fourth, found


@pytest.fixture
def files(old_company, tmp_path):
    """A copy of the old company's files that a test may spoil."""
    return shutil.copytree(old_company[0], tmp_path / "files")


@pytest.fixture
def move_in(app):
    """`move_in(folder, *more)`: the answer of `flask import` in the empty company, for Ada."""
    with app.app_context():
        if db.session.scalar(select(AccountUser.id)) is None:
            perform(lambda uow: [add_user(uow, name, role="admin") for name in ("Ada", "Abe")] and None)

    def call(folder, *more):
        return app.test_cli_runner().invoke(
            args=["import", str(folder), "--as", "ada@example.com", "--json", *more]
        )

    return call


@pytest.fixture(scope="session")
def previewed(sqlite_template, tmp_path_factory):
    """The file of a company with a previewed week."""
    home = tmp_path_factory.mktemp("previewed")
    file = shutil.copy(sqlite_template, home / "week.sqlite")
    app = create_app(environment(companies.on_sqlite(file), home))
    with app.app_context():
        companies.preview_a_week()
        db.session.remove()
        db.engine.dispose()
    return file
