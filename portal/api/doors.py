"""What a token reads: members, leads, sales, earnings, all by its user's own rights."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy import Row

from portal.access.guard import public
from portal.api import operations
from portal.api.paging import page, unless_known, wanted
from portal.api.room import api
from portal.api.tokened import Caller, tokened
from portal.extensions import db
from portal.integrations import lists, tokens
from portal.integrations.documents import instant
from portal.members.team import SIDES, Seen, seen_by
from portal.ui.operations import documented
from portal.ui.problems import problem


@api.get("/api/v1/members")
@documented(operations.MEMBERS)
@public
@tokened(tokens.MEMBERS)
def list_members(caller: Caller) -> Response:
    """A consultant's team as their pack shows it; the company sees everybody."""
    session, asked, viewer = db.session(), wanted(caller), caller.viewer
    place = lists.place_of(session, asked)
    if place is None:
        return page("members", None, asked)
    seen = seen_by(session, viewer, after=place, most=asked.most) if viewer else []
    among = [one.id for one in seen] if viewer else None
    rows = lists.consultants(session, asked, place, among=among)
    known = {one.id: one for one in seen}
    return page("members", [_member(row, caller, known.get(row.Consultant.id)) for row in rows], asked)


@api.get("/api/v1/leads")
@documented(operations.LEADS)
@public
@tokened(tokens.LEADS)
def list_leads(caller: Caller) -> Response:
    """A consultant's own leads; the company's all."""
    asked = wanted(caller)
    return page("leads", lists.leads(db.session(), asked), asked)


@api.get("/api/v1/leads/<lead_id>")
@documented(operations.ONE_LEAD)
@public
@tokened(tokens.LEADS)
def show_lead(caller: Caller, lead_id: str) -> Response:
    """One lead."""
    found = lists.one_lead(db.session(), lead_id, caller.consultant_id) if lead_id.isprintable() else None
    return problem(404, "There is no such lead of yours.") if found is None else unless_known(found)


@api.get("/api/v1/sales")
@documented(operations.SALES)
@public
@tokened(tokens.SALES)
def list_sales(caller: Caller) -> Response:
    """A consultant's own sales; the company's all."""
    asked = wanted(caller)
    return page("sales", lists.sales(db.session(), asked), asked)


@api.get("/api/v1/earnings")
@documented(operations.EARNINGS)
@public
@tokened(tokens.EARNINGS)
def list_earnings(caller: Caller) -> Response:
    """What closed cycles credited to a consultant, or to everybody."""
    asked = wanted(caller)
    return page("earnings", lists.earnings(db.session(), asked), asked)


def _member(row: Row[Any], caller: Caller, seen: Seen | None) -> dict[str, Any]:
    """A person as the tree shows them: the full name and how to write to them only to their sponsor."""
    one, viewer = row.Consultant, caller.viewer
    own = viewer is None or one.sponsor_id == viewer.id
    return {
        "id": one.public_id,
        "name": viewer.name_of(one) if viewer else one.person.name,
        "email": one.person.email if own else None,
        "code": one.code if own else None,
        "plan": row.pack,
        "status": one.status,
        "side": SIDES.get(seen.leg) if seen else None,
        "level": (seen.level or None) if seen else None,
        "sponsored_by_me": viewer is not None and own,
        "joined_at": instant(one.joined_at),
    }
