"""Wires the look into the application: filters, globals, request class, headers, static files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, current_app, g
from flask_babel import get_locale
from flask_login import current_user
from flask_principal import ActionNeed

from portal.ui import assets, headers, nav
from portal.ui.addresses import RowConverter
from portal.ui.filters import FILTERS
from portal.ui.htmx import PortalRequest, answer_unchanged, redirect_for_htmx, request, vary
from portal.ui.packs import has_feature
from portal.ui.patience import tell_when
from portal.ui.qr import qr_code
from portal.ui.sales import FILTERS as SALE_FILTERS

THEMES = ("system", "light", "dark")
THEME_COOKIE = "canopy_theme"


def register(app: Flask) -> None:
    """Give the application its look; call it after the extensions: htmx-flask sets its own request class."""
    app.request_class = PortalRequest
    app.url_map.converters["int"] = RowConverter
    app.jinja_env.filters.update(FILTERS | SALE_FILTERS)
    app.jinja_env.globals["is_open"] = is_open
    app.jinja_env.globals["may"] = may
    app.jinja_env.globals["qr_code"] = qr_code
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    assets.install(app, Path(str(app.static_folder)))
    app.context_processor(_frame)
    app.after_request(headers.protect)
    app.after_request(tell_when)
    app.after_request(vary)
    app.after_request(redirect_for_htmx)
    app.after_request(answer_unchanged)


def may(permission: str) -> bool:
    """Whether the person who asks holds a permission; nobody holds any outside a request."""
    identity = getattr(g, "identity", None)
    return identity is not None and ActionNeed(permission) in identity.provides


def is_open(endpoint: str) -> bool:
    """Whether the room of a view is open in this application; a closed one gets no link."""
    return endpoint in current_app.view_functions


def theme() -> str:
    """The look this browser asked for: `system`, `light` or `dark`."""
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def _frame() -> dict[str, Any]:
    signed_in = bool(current_user.is_authenticated)
    rows = [row for row in nav.visible(nav.ROWS, may=may, has=has_feature) if is_open(row.endpoint)]
    return {
        "theme": theme(),
        "language": str(get_locale() or "en").replace("_", "-"),
        "nav_rows": rows,
        "nav_tabs": rows[: nav.TABS],
        "nav_rest": rows[nav.TABS :],
        "nav_current": nav.current(rows, request.endpoint),
        "viewer": current_user.person if signed_in else None,
    }
