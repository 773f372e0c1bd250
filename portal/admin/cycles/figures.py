"""What is behind the payout ratio and the carry of a cycle."""

from __future__ import annotations

from flask import Response

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin.cycles.cycle import NOTHING_HERE, found, run_of
from portal.admin.room import admin
from portal.commissions import differences, queries, review
from portal.commissions.differences import Pair, Wanted
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.models import Cycle, Run
from portal.ui import show

CYCLES_SHOWN = 12
DIFFERENCES_SHOWN = 200


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


@admin.get("/cycles/<name>/again")
@requires(permissions.see_company)
def cycle_again(name: str) -> Response:
    """Who would get more or less if a closed cycle were computed from the facts of today."""
    one, session = found(name), db.session()
    run = session.get(Run, one.compare_run_id) if one.closed_at and one.compare_run_id else None
    if run is None:
        raise NotYours(NOTHING_HERE)
    pair, wanted = Pair(one, run.id, one.close_run_id or 0), Wanted(only="changed")
    return show(
        "admin/cycle_again.html",
        "main",
        cycle=one,
        run=run,
        rows=differences.page_of(session, pair, wanted, start=0, limit=DIFFERENCES_SHOWN),
        people=differences.count_of(session, pair, wanted)[0],
        may_adjust=may(permissions.manage_adjustments),
    )
