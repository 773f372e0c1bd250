"""The sandbox as one small Flask app, mounted beside the portal and knowing nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from portal.gateways.sandbox import (
    balance_api,
    brevo_api,
    connect_api,
    connect_pages,
    http_provider,
    pages,
    stripe_api,
)
from portal.gateways.sandbox.delivery import Courier
from portal.gateways.sandbox.faults import BadFaults, Dropped, order_faults
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Store
from portal.kernel.clock import Clock, utc_now

_TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@dataclass(frozen=True)
class SandboxSettings:
    """Where the sandbox keeps its books, whom it tells, and how it is reached.

    `public_base_url` is where browsers find the sandbox itself, such as `http://localhost:8000/sandbox`.
    `webhook_url` is where signed Stripe events go, such as `http://127.0.0.1:8000/webhooks/stripe`.
    """

    database_path: Path
    webhook_url: str
    webhook_secret: str
    public_base_url: str
    stylesheet_url: str = "/static/css/main.css"
    icon_url: str = "/static/favicon.svg"
    clock: Clock = utc_now


def build_sandbox(settings: SandboxSettings) -> Flask:
    """The WSGI app; starts no thread before its first event."""
    app = Flask(__name__, template_folder=str(_TEMPLATES), static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.config["PUBLIC_BASE_URL"] = settings.public_base_url.rstrip("/")
    store = Store(settings.database_path)
    courier = Courier(store, url=settings.webhook_url, secret=settings.webhook_secret, clock=settings.clock)
    play = Play(store, courier, clock=settings.clock, public_base_url=settings.public_base_url)
    app.extensions["sandbox"] = play
    app.register_blueprint(stripe_api.blueprint, url_prefix="/stripe/v1")
    app.register_blueprint(connect_api.blueprint, url_prefix="/stripe/v1")
    app.register_blueprint(balance_api.blueprint, url_prefix="/stripe/v1")
    app.register_blueprint(connect_pages.blueprint, url_prefix="/connect")
    app.register_blueprint(http_provider.blueprint, url_prefix="/http-provider")
    app.register_blueprint(brevo_api.blueprint, url_prefix="/brevo/v3")
    app.register_blueprint(pages.blueprint)
    _texts(app, settings)
    _doors(app, play)
    return app


def _texts(app: Flask, settings: SandboxSettings) -> None:
    """Its pages are written in the language of the code; the marks let a catalogue be put in."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(stylesheet_url=settings.stylesheet_url, icon_url=settings.icon_url)
    app.jinja_env.filters["money"] = pages.money
    app.jinja_env.filters["second"] = pages.second


def _doors(app: Flask, play: Play) -> None:
    @app.before_request
    def refuse_other_sites() -> None:
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
            abort(403)

    @app.before_request
    def resume_deliveries() -> None:
        play.courier.resume()

    @app.post("/faults")
    def order() -> ResponseReturnValue:
        return jsonify(waiting=order_faults(play.store, request.get_json(silent=True)))

    @app.errorhandler(BadFaults)
    def bad_faults(error: BadFaults) -> ResponseReturnValue:
        return jsonify(error=str(error)), 422

    @app.errorhandler(Dropped)
    def dropped(error: Dropped) -> ResponseReturnValue:
        return "", 500

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", pages.policy())
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response
