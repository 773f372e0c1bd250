"""Canopy: the portal on which a direct-selling company for solar and smart-home services runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from click import Command
from flask import Blueprint, Flask

from portal.config import ROOT, Settings, read_settings


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Build the application: settings, extensions, rooms, errors.

    Raises `BadSettings` where the environment does not allow a safe start.
    """
    settings = read_settings(os.environ if environ is None else environ)
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance.resolve()),
    )
    _configure(app, settings)
    _extensions(app, settings)
    _rooms(app, settings)
    _bank_files(settings)
    _beginnings()
    _believe_proxies(app, settings)
    _commands(app)
    if os.environ.get("FLASK_RUN_FROM_CLI"):
        enable_migrations(app)
    return app


def _bank_files(settings: Settings) -> None:
    from portal.bank_files import add_formats

    add_formats(ZoneInfo(settings.time_zone))


def _beginnings() -> None:
    """Use cases do not know each other: here the beginning of a cycle learns of moves in the tree."""
    from portal.commissions.beginnings import when_a_cycle_begins
    from portal.members.moves import carry_out

    when_a_cycle_begins(carry_out)


def _configure(app: Flask, settings: Settings) -> None:
    from portal.kernel import clock

    settings.instance.mkdir(parents=True, exist_ok=True)
    if settings.now is not None:
        clock.start_at(settings.now, since=settings.now_since)
    prefix = "__Host-" if settings.https else ""
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SESSION_COOKIE_NAME=f"{prefix}canopy",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=14 * 24 * 3600,
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=100_000,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_KEY_PREFIX="canopy",
        RATELIMIT_ENABLED=settings.production or settings.rate_limits,
        BABEL_DEFAULT_LOCALE="en_US",
        BABEL_DEFAULT_TIMEZONE=settings.time_zone,
    )


def _extensions(app: Flask, settings: Settings) -> None:
    import portal.access.identity
    import portal.models  # noqa: F401
    from portal import errors, extensions
    from portal.access import sessions
    from portal.store import engine_options
    from portal.store.redis import connect
    from portal.ui import setup as look

    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url)
    extensions.seal.use(settings.derived_key("seal"))
    extensions.redis.use(connect(settings.redis_url))
    extensions.db.init_app(app)
    extensions.login_manager.init_app(app)
    sessions.register(app)
    extensions.principal.init_app(app)
    extensions.csrf.init_app(app)
    extensions.htmx.init_app(app)
    extensions.babel.init_app(app)
    extensions.limiter.init_app(app)
    look.register(app)
    errors.register(app)


def _rooms(app: Flask, settings: Settings) -> None:
    """Open the front rooms; the sandbox stands beside them where providers have no keys."""
    from portal.access.guard import public
    from portal.admin import admin
    from portal.api import api
    from portal.auth import auth
    from portal.connections import company_connections, connections
    from portal.dashboard import dashboard
    from portal.desk import desk
    from portal.inbound import inbound
    from portal.join import join
    from portal.network import network
    from portal.shop import shop
    from portal.vendors import partner, vendors
    from portal.wallets import wallets

    public(app.view_functions["static"])
    rooms: tuple[Blueprint, ...] = (
        *(admin, api, auth, inbound, join, dashboard),
        *(company_connections, connections),
        *(desk, network, partner, shop, vendors, wallets),
    )
    for room in rooms:
        app.register_blueprint(room)
    if settings.sandbox:
        _mount_sandbox(app, settings)


def _mount_sandbox(app: Flask, settings: Settings) -> None:
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    from portal.gateways.sandbox import SandboxSettings, build_sandbox

    sandbox = build_sandbox(
        SandboxSettings(
            database_path=settings.instance / "sandbox.sqlite",
            webhook_url=f"{settings.base_url}/webhooks/stripe",
            webhook_secret=settings.webhook_secret,
            public_base_url=f"{settings.base_url}/sandbox",
        )
    )
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sandbox": sandbox})  # type: ignore[method-assign]


def _believe_proxies(app: Flask, settings: Settings) -> None:
    """See the person's own address and scheme, and not those of our proxy; without one nobody is believed."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0
        )


def enable_migrations(app: Flask) -> None:
    """Let Alembic work on this application; apart, since a web process must not wait for its import."""
    from flask_migrate import Migrate

    from portal.extensions import db

    Migrate(app, db, directory=str(ROOT / "portal/models/migrations"))


def _commands(app: Flask) -> None:
    """Give `flask --app wsgi` the operator's commands."""
    from portal.cli.approvals import approve  # noqa: F401
    from portal.cli.arrivals import import_company
    from portal.cli.comp import comp
    from portal.cli.comparisons import compare_cycle  # noqa: F401
    from portal.cli.cycles import cycle
    from portal.cli.demo import demo
    from portal.cli.ledger import ledger
    from portal.cli.plans import plan
    from portal.cli.recalculations import recalculate  # noqa: F401
    from portal.cli.replays import replay_run  # noqa: F401
    from portal.cli.rhythms import rhythm  # noqa: F401
    from portal.cli.stripe import stripe
    from portal.cli.users import users
    from portal.cli.vendors import vendors

    groups: tuple[Command, ...] = (
        *(comp, cycle, demo, import_company, users),
        *(vendors, ledger, plan, stripe),
    )
    for group in groups:
        app.cli.add_command(group)
