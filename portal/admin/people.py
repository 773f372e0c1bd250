"""/admin/people: consultants found by name, code or e-mail, with their code and the pages about them."""

from __future__ import annotations

from typing import Final

from flask import Response
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin.room import admin
from portal.commissions.past import stood_at
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members.finding import find_people
from portal.models import Consultant
from portal.ui import show
from portal.ui.htmx import request
from portal.ui.packs import pack_name

ROWS_A_PAGE: Final = 50
STATUSES: Final = {
    "active": (_l("active"), "ok"),
    "suspended": (_l("suspended"), "sun"),
    "terminated": (_l("terminated"), "bad"),
}


@admin.get("/people")
@requires(permissions.see_company)
def people() -> Response:
    """Fifty at a time, the newest first where nothing is asked; ranks of the last closed cycle."""
    session, asked = db.session(), request.args.get("who", "").strip()[:100]
    found = find_people(session, asked, after=request.args.get("after", ""), most=ROWS_A_PAGE + 1)
    rows = found[:ROWS_A_PAGE]
    sponsors = select(Consultant).where(Consultant.id.in_({one.sponsor_id for one in rows}))
    return show(
        "admin/people.html",
        "main",
        asked=asked,
        rows=rows,
        following=rows[-1].public_id if len(found) > ROWS_A_PAGE else "",
        sponsors={one.id: one for one in session.scalars(sponsors)},
        stood=stood_at(session, [one.id for one in rows], until=utc_now()),
        pack_name=pack_name,
        statuses=STATUSES,
        may_adjust=may(permissions.manage_adjustments),
        may_move=may(permissions.manage_moves),
    )
