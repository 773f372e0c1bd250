"""/customers: a consultant's own customers, their contracts, what came of them and what is held."""

from __future__ import annotations

from flask import Response, current_app, url_for

from portal.access import permissions
from portal.access.guard import requires
from portal.desk import words
from portal.desk.access import me
from portal.desk.room import desk
from portal.extensions import db
from portal.leads import customers as own
from portal.store.people import shown_phone
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request
from portal.ui.packs import has_feature


@desk.get("/customers")
@requires(permissions.work_leads)
def customers() -> Response:
    """Own customers, newest first."""
    session, consultant = db.session(), me()
    asked = request.args.get("q", "")[:100]
    rows = own.own_customers(session, consultant.id, asked=asked, before=number(request.args, "before"))
    return show(
        "desk/customers.html",
        "live",
        rows=rows[: own.PAGE],
        more=rows[own.PAGE - 1].customer.id if len(rows) > own.PAGE else None,
        totals=own.totals(session, consultant.id),
        asked=asked,
        link=f"{current_app.config['SETTINGS'].base_url}{url_for('desk.services', c=consultant.code)}",
        has_desk=has_feature("lead_desk"),
        shown_phone=shown_phone,
        words=words,
    )
