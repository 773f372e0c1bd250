"""/admin/breakage: what caps, flushes and limits took for good, what they hold back, and of whom."""

from __future__ import annotations

from typing import Any, cast

from flask import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.plans.versions import NOTHING_HERE
from portal.admin.room import admin
from portal.commissions.breakage import broken_cycles, losers
from portal.commissions.queries import cycle_named, run_of
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.ui import show
from portal.ui.losses import LOSSES

CYCLES_SHOWN = 26
MILLIONTHS = 1_000_000


@admin.get("/breakage")
@requires(permissions.see_company)
def breakage() -> Response:
    """The latest closed cycles beside each other; what is held back, as it stood after the last one."""
    rows = broken_cycles(db.session(), most=CYCLES_SHOWN)
    rules = [rule for rule in LOSSES if any(row.lost.get(rule) or row.expired.get(rule) for row in rows)]
    return show("admin/breakage.html", "main", rows=rows, rules=rules, words=LOSSES)


@admin.get("/breakage/<name>")
@requires(permissions.see_company)
def cycle_breakage(name: str) -> Response:
    """One cycle: both legs and the money, rule by rule, and who lost most."""
    session = db.session()
    cycle = cycle_named(session, name)
    run = run_of(session, cycle) if cycle else None
    if cycle is None or run is None or run.breakage is None:
        raise NotYours(NOTHING_HERE)
    told = cast(dict[str, Any], run.breakage)
    return show(
        "admin/breakage_cycle.html",
        "main",
        cycle=cycle,
        told=told,
        rounded=_cents(told["money"]["rounding"]),
        losers=losers(session, told["most"]),
        held=losers(session, told["most_held"]),
        words=LOSSES,
    )


def _cents(millionths: int) -> int:
    """Millionths of a cent as whole cents, toward zero."""
    return millionths // MILLIONTHS if millionths >= 0 else -(-millionths // MILLIONTHS)
