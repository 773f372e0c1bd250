"""/team/list: the team as a list to search, sort and take along, today and on an earlier day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import Response, redirect, stream_with_context, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions.past import stood_at
from portal.commissions.projection import Projected
from portal.commissions.standings import standings
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import NotYours
from portal.members.team import viewer_of
from portal.models import Cycle
from portal.network import listed
from portal.network.listed import ORDERS, Row, Wanted
from portal.network.past import asked_day, latest_day
from portal.network.queries import LEGS, Viewer
from portal.network.routes import network
from portal.payouts.files import guarded
from portal.ui import show
from portal.ui.addresses import end_of, number
from portal.ui.filters import volume
from portal.ui.htmx import request
from portal.ui.packs import own_consultant, own_features

ROWS_A_PAGE = 50
AT_ONCE = 1_000


@network.get("/team/list")
@requires(permissions.see_own_business)
def team_list() -> AnyResponse:
    """Fifty people of one's team at a time, with their legs."""
    viewer, wanted, session = _viewer(), _wanted(), db.session()
    page = max(number(request.args, "page") or 1, 1)
    rows, people = listed.page_of(session, viewer, wanted, start=(page - 1) * ROWS_A_PAGE, limit=ROWS_A_PAGE)
    if page > 1 and not rows:
        return redirect(url_for("network.team_list", **_kept()))
    on = asked_day(request.args, now=utc_now())
    stand, cycle = _standings(viewer, rows)
    return show(
        "network/list.html",
        "people",
        own=viewer,
        rows=rows,
        standings=stand,
        stood=cycle,
        wanted=wanted,
        people=people,
        page=page,
        pages=max(-(-people // ROWS_A_PAGE), 1),
        kept=_kept(),
        on=on,
        latest=latest_day(utc_now()),
        here=url_for("network.team_list"),
        may_export=may_export(viewer),
    )


@network.get("/team/list.csv")
@requires(permissions.see_own_business)
def team_csv() -> AnyResponse:
    """All of them as a file, for those whose pack shows the whole downline."""
    viewer = _viewer()
    if not may_export(viewer):
        raise NotYours(_("There is nothing here under this address."))
    response = Response(stream_with_context(_lines(viewer, _wanted())))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="team-{_day_named(viewer)}.csv"'
    return response


def may_export(viewer: Viewer) -> bool:
    """A pack that shows the whole downline lets it be taken along."""
    return viewer.levels is None


def _viewer() -> Viewer:
    """Who looks, at the day in the address."""
    viewer = viewer_of(own_consultant(), own_features())
    day = asked_day(request.args, now=utc_now())
    return replace(viewer, at=end_of(day)) if day else viewer


def _kept() -> dict[str, Any]:
    """What of the address stays from page to page."""
    names = ("name", "side", "own", "order", "on")
    return {name: request.args[name] for name in names if name in request.args}


def _wanted() -> Wanted:
    side, order = request.args.get("side", ""), request.args.get("order", "")
    return Wanted(
        name=" ".join(request.args.get("name", "").split())[:100],
        side=side if side in LEGS else "",
        own=request.args.get("own") == "1",
        order=order if order in ORDERS else "newest",
    )


def _standings(viewer: Viewer, rows: list[Row]) -> tuple[dict[int, Projected | None], Cycle | None]:
    """How these people stand, or stood by the cycle that is given too."""
    ids = [row.consultant.id for row in rows]
    if viewer.at is None:
        return dict(zip(ids, standings(ids), strict=True)), None
    then = stood_at(db.session(), ids, until=viewer.at)
    return {one: then.standings.get(one) for one in ids}, then.cycle


def _lines(viewer: Viewer, wanted: Wanted) -> Iterator[str]:
    yield _row(_("Name"), _("Leg"), _("Level"), _("Plan"), _("Joined"), _("Left volume"), _("Right volume"))
    found = listed.find(db.session(), viewer, wanted)
    for start in range(0, len(found.ids), AT_ONCE):
        part = listed.rows_of(db.session(), viewer, found.part(start, start + AT_ONCE))
        stand, _cycle = _standings(viewer, part)
        for row in part:
            one = stand[row.consultant.id]
            legs = (volume(one.left), volume(one.right)) if one else ("", "")
            joined = row.consultant.joined_at.date().isoformat()
            yield _row(guarded(row.name), row.side, str(row.level or ""), guarded(row.pack), joined, *legs)


def _row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _day_named(viewer: Viewer) -> str:
    return (viewer.at or utc_now()).date().isoformat()
