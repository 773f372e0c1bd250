"""Somebody at the door, and a clock that can be moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask, jsonify, request

from portal.access import permissions
from portal.access.guard import public, require_recent_password, requires
from portal.kernel import clock
from tests.html import Visitor
from tests.people import PASSWORD, Cast, invite_cast


@pytest.fixture
def house(sqlite_app: Flask) -> Flask:
    """An application with three rooms of the test's own: for anyone, for those signed in, for money."""
    invite_cast(sqlite_app)

    @sqlite_app.get("/probe")
    @requires(permissions.signed_in)
    def probe() -> str:
        return "inside"

    @sqlite_app.get("/probe/money")
    @requires(permissions.signed_in)
    @require_recent_password(minutes=10)
    def money() -> str:
        return "money"

    @sqlite_app.post("/probe/money")
    @requires(permissions.signed_in)
    @require_recent_password(minutes=10)
    def move_money() -> object:
        return jsonify(request.form.to_dict(flat=False), sorted(request.files))

    @sqlite_app.get("/probe/session")
    @public
    def kept() -> object:
        from flask import session

        return jsonify(dict(session))

    return sqlite_app


@pytest.fixture
def cast(house: Flask) -> Cast:
    from portal.extensions import db
    from portal.models import AccountUser

    with house.app_context():
        ids = {user.email.split("@")[0]: user.id for user in db.session.query(AccountUser)}
    return Cast(**{name: ids[name] for name in ("ana", "ben", "cem", "dia", "fin", "ada")}, cycle=0)


@pytest.fixture
def ana(house: Flask) -> Visitor:
    """Ana's phone, signed in."""
    phone = Visitor(house)
    phone.sign_in("ana@example.com", PASSWORD)
    return phone


@pytest.fixture
def ada(house: Flask) -> Visitor:
    """The admin's laptop, signed in."""
    laptop = Visitor(house)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


@pytest.fixture
def travel() -> Iterator[Callable[[timedelta], None]]:
    """Moves the clock on."""
    passed = [timedelta(0)]

    def on(by: timedelta) -> None:
        passed[0] += by
        clock._offset = passed[0]

    yield on
    clock._offset = timedelta(0)
