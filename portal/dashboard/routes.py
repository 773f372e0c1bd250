"""/home: a greeting, the panels of the reader's permissions, and one live region."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, current_app, g
from flask_babel import to_user_timezone
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import public, requires
from portal.commissions.queries import open_cycle
from portal.dashboard import queries
from portal.dashboard.queries import Income
from portal.dashboard.style import style_page
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import NotYours
from portal.ui import show
from portal.ui.htmx import request
from portal.ui.packs import own_consultant
from portal.ui.panels import panels_for
from portal.ui.setup import may

dashboard = Blueprint("dashboard", __name__)
EVENING, AFTERNOON = 17, 12
LAST_MINUTE = timedelta(minutes=1)


@dashboard.get("/home")
@requires(permissions.see_own_business)
def home() -> Response:
    """The consultant's first page; a tick asks for its live region only."""
    consultant = own_consultant()
    if consultant is None:
        raise NotYours("There is nothing here under this address.")
    cycle = open_cycle(db.session())
    shown = [(panel, panel.load(consultant.id)) for panel in panels_for(may)]
    return show(
        "dashboard/home.html",
        "live",
        shown=[(panel, data) for panel, data in shown if data is not None],
        cycle=cycle,
        closes=cycle.until - LAST_MINUTE if cycle else None,
        income=None if request.wants_fragment else everybodys_income(),
        daytime=_daytime(),
    )


@dashboard.get("/style")
@public
def style() -> AnyResponse:
    """All parts of the house; there is no such page in production."""
    if current_app.config["SETTINGS"].production:
        raise NotYours("There is nothing here under this address.")
    return style_page()


def everybodys_income() -> Income | None:
    """What everybody earned, asked once for each request."""
    if "everybodys_income" not in g:
        g.everybodys_income = queries.income(db.session())
    found: Income | None = g.everybodys_income
    return found


def _daytime() -> str:
    hour = to_user_timezone(utc_now()).hour
    return "evening" if hour >= EVENING else "afternoon" if hour >= AFTERNOON else "morning"
