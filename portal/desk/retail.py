"""/customers/retail: what a consultant's verified customers bought against own use, and in both legs."""

from __future__ import annotations

from flask import Response, current_app

from portal import live
from portal.access import permissions
from portal.access.guard import requires
from portal.compliance import own_use, retail
from portal.desk.access import me
from portal.desk.room import desk
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ui import show

CYCLES_SHOWN = 12


@desk.get("/customers/retail")
@requires(permissions.work_leads)
def own_retail() -> Response:
    """The own meter by cycle, and that of both legs in the latest one."""
    session, consultant = db.session(), me()
    rows = retail.by_cycle(session, most=CYCLES_SHOWN, consultant_id=consultant.id)
    latest = rows[-1] if rows else None
    return show(
        "desk/retail.html",
        "main",
        rows=rows,
        latest=latest,
        legs=retail.by_leg(session, latest.cycle.id, live.team(consultant.id)) if latest else {},
        most=current_app.config["SETTINGS"].own_use_share,
        rule=own_use.rule_on(session, utc_now().date()),
    )
