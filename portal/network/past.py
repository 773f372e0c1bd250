"""The tree as it was on a day: read only, seen by the rights of now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import Response
from flask_babel import get_timezone

from portal import live
from portal.commissions.past import stood_at
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.network import queries
from portal.network.queries import Viewer
from portal.ui import show
from portal.ui.addresses import end_of
from portal.ui.htmx import request


def asked_day(arguments: Mapping[str, str], *, now: datetime) -> date | None:
    """The day of `?on=2026-11-16`; None for today, for days to come, and for what is no day."""
    try:
        day = date.fromisoformat(arguments.get("on", ""))
    except ValueError:
        return None
    end = end_of(day)
    return day if end is not None and end <= now else None


def latest_day(now: datetime) -> date:
    """Yesterday, in the company's time zone."""
    return now.astimezone(get_timezone()).date() - timedelta(days=1)


def past_tree(viewer: Viewer, public_id: str, *, day: date) -> Response:
    """The tree around somebody at the end of a day, with rank and carry of the cycle that stood then."""
    session = db.session()
    focus, path = queries.person_below(session, viewer, public_id)
    spot = queries.picture(session, viewer, focus, depth=path.depth)
    team = live.below(viewer.id, queries.people_in(spot)) | {viewer.id}
    spot = queries.still_there(spot, team)
    assert viewer.at is not None
    stood = stood_at(session, queries.people_in(spot), until=viewer.at)
    return show(
        "network/team.html",
        "tree",
        spot=spot,
        path=path,
        person=queries.details(session, viewer, focus),
        standings=stood.standings,
        ranks=stood.ranks,
        stood=stood.cycle,
        waiting=[],
        sponsored=None,
        moved=(request.source or "").startswith("a"),
        on=day,
        latest=latest_day(utc_now()),
    )
