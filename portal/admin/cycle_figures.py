"""What is behind the payout ratio and the carry of a cycle."""

from __future__ import annotations

from flask import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.cycle_page import found, run_of
from portal.admin.room import admin
from portal.commissions import queries, review
from portal.extensions import db
from portal.models import Cycle
from portal.ui import show

CYCLES_SHOWN = 12


@admin.get("/cycles/<name>/revenue")
@requires(permissions.see_company)
def cycle_revenue(name: str) -> Response:
    """The payout ratio: what it is measured against, and how it went in the last cycles."""
    one, session = found(name), db.session()
    rows = queries.rows_until(session, one, limit=CYCLES_SHOWN)
    return show(
        "admin/cycle_revenue.html",
        "main",
        cycle=one,
        totals=queries.totals_of(run_of(one)),
        rows=review.revenue_of(session, one),
        ratios=[row for row in rows if row.ratio is not None],
    )


@admin.get("/cycles/<name>/legs")
@requires(permissions.see_company)
def cycle_legs(name: str) -> Response:
    """The volume of all legs: where it came from, what was matched, what goes on; and who carries most."""
    one, session = found(name), db.session()
    run = run_of(one)
    previous = session.get(Cycle, one.previous_id) if one.previous_id else None
    old = queries.run_of(session, previous) if previous else None
    before = queries.totals_of(old) if old is not None and old.totals is not None else None
    return show(
        "admin/cycle_legs.html",
        "main",
        cycle=one,
        legs=review.legs_of(session, run.id, before=before),
        rows=review.largest_carries(session, run.id),
    )
