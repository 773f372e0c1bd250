"""A small application that has only a look: no database, one reader who may do everything."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask, g, redirect
from flask_babel import Babel
from flask_login import LoginManager, UserMixin
from flask_principal import ActionNeed, AnonymousIdentity, Identity, Principal
from flask_wtf.csrf import CSRFProtect

from portal import ui
from portal.access.permissions import ROLES
from portal.config import ROOT
from portal.dashboard.style import style_page
from portal.models import Pack
from portal.ui import nav


class Reader(UserMixin):
    id = "1"
    person = SimpleNamespace(name="Maya Torres", email="maya@example.com")


def build(*, signed_in: bool) -> Flask:
    app = Flask("portal", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.update(
        SECRET_KEY="k" * 40, BABEL_DEFAULT_TIMEZONE="America/Denver", BABEL_DEFAULT_LOCALE="en_US"
    )
    Babel(app)
    CSRFProtect(app)
    LoginManager(app).request_loader(lambda _request: Reader() if signed_in else None)
    Principal(app, use_sessions=False).identity_loader(
        lambda: identity() if signed_in else AnonymousIdentity()
    )
    app.before_request(lambda: setattr(g, "own_consultant", (None, Pack(features={"lead_desk": True}))))
    ui.register(app)
    add_views(app)
    return app


def identity() -> Identity:
    found = Identity("1")
    found.provides |= {ActionNeed(name) for names in ROLES.values() for name in names}
    return found


def add_views(app: Flask) -> None:
    """The views that the frame links to, a page of all parts, and a form that redirects."""
    rooms = {name: Blueprint(name, "portal") for name in ("auth", *(row.room for row in nav.ROWS))}
    for row in nav.ROWS:
        address = "/" + row.endpoint.replace(".", "/")
        rooms[row.room].add_url_rule(address, row.endpoint.partition(".")[2], lambda: "")
    for name in ("set_theme", "sign_out"):
        rooms["auth"].add_url_rule(f"/{name}", name, lambda: "", methods=["POST"])
    for room in rooms.values():
        app.register_blueprint(room)
    app.add_url_rule("/style", "style", style_page)
    app.add_url_rule("/moved", "moved", lambda: redirect("/style"))


@pytest.fixture(scope="session")
def small_app():
    return build(signed_in=True)


@pytest.fixture
def browser(small_app):
    return small_app.test_client()


@pytest.fixture(scope="session")
def stranger():
    return build(signed_in=False).test_client()
