"""/admin/cycles: every cycle, newest first, found by state and rhythm."""

from __future__ import annotations

from flask import Response

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import words
from portal.admin.room import admin
from portal.commissions import queries
from portal.extensions import db
from portal.models.cycle import CYCLE_STATES, RHYTHMS
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50


@admin.get("/cycles")
@requires(permissions.see_company)
def cycles() -> Response:
    """All cycles, newest first, with filters that stay in the address."""
    state, rhythm = (request.args.get(name, "") for name in ("state", "rhythm"))
    chosen = {
        "state": state if state in CYCLE_STATES else "",
        "rhythm": rhythm if rhythm in RHYTHMS else "",
    }
    page = max(number(request.args, "page") or 1, 1)
    rows = queries.cycle_rows(db.session(), **chosen, start=(page - 1) * ROWS_A_PAGE, limit=ROWS_A_PAGE + 1)
    return show(
        "admin/cycles.html",
        "main",
        rows=rows[:ROWS_A_PAGE],
        chosen=chosen,
        page=page,
        more=len(rows) > ROWS_A_PAGE,
        words=words,
        may_manage=may(permissions.manage_cycles),
    )
