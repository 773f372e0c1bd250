"""/earnings/lines/<id> and /earnings/projected: why an amount is what it is, down to each activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, url_for
from flask_babel import gettext as _

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions import why
from portal.commissions.explained import Opened, opened_projection, opened_run
from portal.commissions.queries import open_cycle
from portal.commissions.why import Reader, Row, Which
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import NotYours
from portal.models import Pack
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.filters import current, cycle_title
from portal.ui.htmx import request
from portal.ui.kinds import KINDS
from portal.wallets import why_queries as queries
from portal.wallets.room import owner, wallets

MOST_LINES = 100
CURRENCY = "USD"
NOTHING_HERE = "There is nothing here under this address."


@wallets.get("/lines/<int:line_id>")
@requires(permissions.see_own_business)
def line(line_id: int) -> Response:
    """One line of a closed week, opened to the end."""
    reader = _reader()
    found = queries.own_line(db.session(), reader.top, line_id)
    try:
        opened = opened_run(db.session(), found.line.run_id)
    except LookupError:
        opened = None
    told = why.told_line(db.session(), opened, reader, why.which_of(opened, found.line)) if opened else None
    return _line_page(
        told,
        kind=found.line.kind,
        amount=found.line.amount_cents,
        trail=[*_trail(found.week), (_("Why this amount"), "")],
        note=cycle_title(found.week),
        team_url=_team_url("wallets.line_team", line_id=line_id),
        run_id=found.line.run_id,
    )


@wallets.get("/lines/<int:line_id>/team/<public_id>")
@requires(permissions.see_own_business)
def line_team(line_id: int, public_id: str) -> Response:
    """One part of a leg behind a line: its sales, and the branches below it."""
    reader = _reader()
    found = queries.own_line(db.session(), reader.top, line_id)
    try:
        opened = opened_run(db.session(), found.line.run_id)
    except LookupError:
        raise NotYours(NOTHING_HERE) from None
    trail = [*_trail(found.week), (_("Why this amount"), url_for("wallets.line", line_id=line_id))]
    return _team_page(
        opened,
        reader,
        public_id,
        trail=trail,
        team_url=_team_url("wallets.line_team", line_id=line_id),
    )


@wallets.get("/projected")
@requires(permissions.see_own_business)
def projected() -> Response:
    """The open week's pay as it stands: every kind with its lines."""
    reader, opened = _reader(), _projection()
    sums = why.sums_of(opened, reader)
    return show(
        "why/projected.html",
        "main",
        kinds=[(kind, sums[kind], _rows(opened, reader, kind)) for kind in KINDS if kind in sums],
        total=sum(sums.values()),
        projected_at=opened.at,
        currency=opened.result.inputs.plan.currency,
        words=KINDS,
        most=MOST_LINES,
        line_url=_projected_url,
        now=_now(),
    )


@wallets.get(
    "/projected/line/<any(retail, direct, unilevel, revenue_share, matrix, binary, matching, pool):kind>"
)
@requires(permissions.see_own_business)
def projected_line(kind: str) -> Response:
    """One projected line: that of a sale, of somebody whose pay is matched, or the one of its kind."""
    reader, opened = _reader(), _projection()
    source = why.source_named(db.session(), opened, request.args.get("of", ""))
    which = Which(kind, source, number(request.args, "level") or 0)
    told = why.told_line(db.session(), opened, reader, which)
    if told is None:
        raise NotYours(_("This amount is no longer projected."))
    return _line_page(
        told,
        kind=kind,
        amount=told.story.amount,
        trail=[*_projected_trail(), (_("Why this amount"), "")],
        team_url=_team_url("wallets.projected_team"),
        projected_at=opened.at,
    )


@wallets.get("/projected/team/<public_id>")
@requires(permissions.see_own_business)
def projected_team(public_id: str) -> Response:
    """One part of a leg of the open week."""
    url = _team_url("wallets.projected_team")
    return _team_page(_projection(), _reader(), public_id, trail=_projected_trail(), team_url=url)


def _reader() -> Reader:
    who = owner()
    levels = db.session().get_one(Pack, who.pack).features.get("tree_levels")
    return Reader(
        consultant_id=who.id,
        name_of=lambda other: other.name_for(who.id),
        top=who.id,
        levels=levels if isinstance(levels, int) else None,
    )


def _projection() -> Opened:
    opened = opened_projection(db.session(), now=utc_now())
    if opened is None:
        raise NotYours(_("No cycle is open."))
    return opened


def _rows(opened: Opened, reader: Reader, kind: str) -> list[Row]:
    return why.told_lines(db.session(), opened, reader, kind=kind, most=MOST_LINES)


def _line_page(told: why.LineTold | None, *, kind: str, amount: int, **more: Any) -> Response:
    return show(
        "why/line.html",
        "main",
        told=told,
        kind=KINDS[kind],
        amount=amount,
        currency=told.currency if told else CURRENCY,
        **more,
    )


def _team_page(
    opened: Opened, reader: Reader, public_id: str, *, trail: list[Any], team_url: Callable[..., str]
) -> Response:
    first = number(request.args, "first") or 0
    told = why.told_team(db.session(), opened, reader, public_id=public_id, first=first)
    return show(
        "why/team.html",
        "branch",
        told=told,
        trail=[*trail, (told.name, "")],
        team_url=team_url,
        currency=opened.result.inputs.plan.currency,
        projected_at=opened.at if opened.run_id is None else None,
        fragment=request.wants_fragment,
    )


def _team_url(endpoint: str, **values: Any) -> Callable[..., str]:
    def url(public_id: str, first: int | None = None) -> str:
        return url_for(endpoint, public_id=public_id, first=first, **values)

    return url


def _projected_url(kind: str, row: Row) -> str:
    of = row.sale.public_id if row.sale else row.source_id
    return url_for("wallets.projected_line", kind=kind, of=of or None, level=row.story.level or None)


def _trail(week: str) -> list[tuple[str, str]]:
    return [
        (_("Earnings"), url_for("wallets.earnings")),
        (cycle_title(week), url_for("wallets.week", name=week)),
    ]


def _projected_trail() -> list[tuple[str, str]]:
    return [(_("Projected %(now)s", now=_now()), url_for("wallets.projected"))]


def _now() -> str:
    """The open cycle as people speak of it; a page of what is projected has one."""
    cycle = open_cycle(db.session())
    return current(cycle.rhythm) if cycle else ""
