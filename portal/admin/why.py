"""/admin/runs/<run>/people/<id>: one person in one run, every line opened down to each activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, url_for
from flask_babel import gettext as _

from portal.access import permissions
from portal.access.guard import requires
from portal.admin import words
from portal.admin.cycles import run_queries as queries
from portal.admin.room import admin
from portal.commissions import why
from portal.commissions.explained import Opened, opened_run
from portal.commissions.why import LineTold, Reader
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.models import Consultant, Cycle
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

CURRENCY = "USD"


@admin.get("/runs/<int:run_id>/people/<public_id>")
@requires(permissions.see_company)
def run_person(run_id: int, public_id: str) -> Response:
    """All lines of one person in a run."""
    session = db.session()
    found, who = queries.run(session, run_id), queries.consultant(session, public_id)
    lines = queries.lines_of(session, run_id, who.id)
    return show(
        "admin/run_person.html",
        "main",
        run=found,
        who=who,
        lines=lines,
        total=sum(line.amount_cents for line in lines),
        trail=_trail(run_id),
        words=words,
    )


@admin.get("/runs/<int:run_id>/people/<public_id>/lines/<int:line_id>")
@requires(permissions.see_company)
def run_line(run_id: int, public_id: str, line_id: int) -> Response:
    """One line, opened to the end."""
    who = queries.consultant(db.session(), public_id)
    line = queries.line_of(db.session(), run_id, who.id, line_id=line_id)
    told = _told(run_id, who, line)
    return show(
        "why/line.html",
        "main",
        told=told,
        kind=words.KINDS[line.kind],
        amount=line.amount_cents,
        currency=told.currency if told else CURRENCY,
        note=_("%(name)s, code %(code)s", name=who.person.name, code=who.code),
        trail=[*_trail(run_id, who), (_("Why this amount"), "")],
        team_url=_team_url(run_id, public_id),
        run_id=run_id,
        run_url=url_for("admin.run", run_id=run_id),
    )


@admin.get("/runs/<int:run_id>/people/<public_id>/team/<below_id>")
@requires(permissions.see_company)
def run_team(run_id: int, public_id: str, below_id: str) -> Response:
    """One part of a leg of a person: its sales, and the branches below it."""
    who, opened = queries.consultant(db.session(), public_id), _opened(run_id)
    if opened is None:
        raise NotYours("There is nothing here under this address.")
    first = number(request.args, "first") or 0
    told = why.told_team(db.session(), opened, _reader(who), public_id=below_id, first=first)
    return show(
        "why/team.html",
        "branch",
        told=told,
        trail=[*_trail(run_id, who), (told.name, "")],
        team_url=_team_url(run_id, public_id),
        currency=opened.result.inputs.plan.currency,
        fragment=request.wants_fragment,
    )


def _told(run_id: int, who: Consultant, line: Any) -> LineTold | None:
    opened = _opened(run_id)
    return why.told_line(db.session(), opened, _reader(who), why.which_of(opened, line)) if opened else None


def _opened(run_id: int) -> Opened | None:
    """The run computed again; None where its inputs were never here."""
    try:
        return opened_run(db.session(), run_id)
    except LookupError:
        return None


def _reader(who: Consultant) -> Reader:
    """Those who keep the company see everybody's name and no customer's: the contract names the sale."""
    return Reader(consultant_id=None, name_of=lambda other: other.person.name, top=who.id)


def _team_url(run_id: int, public_id: str) -> Callable[..., str]:
    def url(below_id: str, first: int | None = None) -> str:
        return url_for("admin.run_team", run_id=run_id, public_id=public_id, below_id=below_id, first=first)

    return url


def _trail(run_id: int, who: Consultant | None = None) -> list[tuple[str, str]]:
    found = queries.run(db.session(), run_id)
    cycle = db.session.get_one(Cycle, found.cycle_id)
    trail = [
        (cycle.name, url_for("admin.cycle", name=cycle.name)),
        (_("Run %(run)s", run=run_id), url_for("admin.run", run_id=run_id)),
    ]
    if who is None:
        return trail
    person = url_for("admin.run_person", run_id=run_id, public_id=who.public_id)
    return [*trail, (who.person.name, person)]
