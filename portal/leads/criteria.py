"""What decides who is offered a lead: each criterion is a row of a table, found by its code.

A criterion may shut people out (`needs`), give points from 0 to 100 (`score`), or both. All of it is SQL, so
that one question ranks the whole company. A later one, such as a predicted chance, is one more entry here and
one more code in the rule; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from portal.leads.selling import CORE, is_served, terms_of_day
from portal.models import Consultant, Lead, LeadOffer, Licence, Pack, Service, TermsVersion

FULL: Final = 100
POINTS_FOR_EACH_LEAD: Final = 10
WORKED_ON: Final = ("new", "contacted", "appointment", "proposal")
# Points by how long ago somebody was last offered a lead; who never was gets all of them.
REST: Final = ((timedelta(days=1), 0), (timedelta(days=7), 30), (timedelta(days=30), 60))
LONGER: Final = 80

_WORKING: Final = (
    select(Lead.consultant_id, func.count().label("leads"))
    .where(Lead.consultant_id.is_not(None), Lead.stage.in_(WORKED_ON), Lead.archived_at.is_(None))
    .group_by(Lead.consultant_id)
    .subquery("working")
)
_OFFERED: Final = (
    select(
        LeadOffer.consultant_id,
        func.sum(case((LeadOffer.state == "open", 1), else_=0)).label("waiting"),
        func.max(LeadOffer.offered_at).label("last"),
    )
    .group_by(LeadOffer.consultant_id)
    .subquery("offered")
)


@dataclass(frozen=True)
class Asked:
    """What a lead asks for: the service with its terms of the day, the state, the moment."""

    service: Service | None
    terms: TermsVersion | None
    region: str | None
    now: datetime


@dataclass(frozen=True)
class Criterion:
    """`needs` is what a consultant must meet; `score` their points, `figure` the number behind them.

    `score` and `figure` may read what `with_work` puts beside a consultant.
    """

    code: str
    needs: Callable[[Asked], ColumnElement[bool]] | None = None
    score: Callable[[Asked], ColumnElement[int]] | None = None
    figure: Callable[[Asked], ColumnElement[Any]] | None = None


def asked_by(session: Session, lead: Lead, now: datetime) -> Asked:
    """What a lead asks for now."""
    terms = terms_of_day(session, lead.service_id, now.date()) if lead.service_id else None
    return Asked(lead.service, terms, lead.region, now)


def _served(asked: Asked) -> ColumnElement[bool]:
    if asked.terms is None or not asked.region:
        return true()
    return true() if is_served(asked.terms, asked.region) else false()


def _licence(asked: Asked) -> ColumnElement[bool]:
    """A licence that somebody verified, of the kind and in the state that the terms name, today."""
    if not needs_licence(asked):
        return true()
    today = asked.now.date()
    return (
        select(Licence.id)
        .where(
            Licence.consultant_id == Consultant.id,
            Licence.kind == asked.terms.licence_kind if asked.terms else false(),
            Licence.region == asked.region,
            Licence.state == "verified",
            Licence.valid_from <= today,
            Licence.expires_on >= today,
        )
        .exists()
    )


def needs_licence(asked: Asked) -> bool:
    """Whether the seller of this service needs a licence in this state."""
    terms = asked.terms
    return bool(terms and terms.licence_kind and asked.region in terms.licence_states)


def _plan(asked: Asked) -> ColumnElement[bool]:
    """The pack holds the lead desk and may sell the service."""
    desk = cast(Pack.features["lead_desk"].as_boolean(), Integer) == 1
    if asked.service is None or asked.terms is None:
        return desk
    named = Pack.code.in_(asked.terms.packs) if asked.terms.packs else true()
    vendors = Pack.features["vendors"].as_string()
    of_vendor = true() if asked.service.vendor.core else or_(vendors.is_(None), vendors != CORE)
    return and_(desk, named, of_vendor)


def with_work(statement: Select[Any]) -> Select[Any]:
    """A question about consultants, with what each works on and was offered beside them.

    Counted once for all of them: to ask for each alone takes seconds in a large company.
    """
    beside = statement.outerjoin(_WORKING, _WORKING.c.consultant_id == Consultant.id)
    return beside.outerjoin(_OFFERED, _OFFERED.c.consultant_id == Consultant.id)


def open_leads(_asked: Asked) -> ColumnElement[int]:
    """How many leads a consultant works on, and how many wait for their answer."""
    return func.coalesce(_WORKING.c.leads, 0) + func.coalesce(_OFFERED.c.waiting, 0)


def _load(asked: Asked) -> ColumnElement[int]:
    points = FULL - POINTS_FOR_EACH_LEAD * open_leads(asked)
    return case((points < 0, 0), else_=points)


def last_offered(_asked: Asked) -> ColumnElement[Any]:
    """When a consultant was last offered a lead; NULL for never."""
    return _OFFERED.c.last


def _rest(asked: Asked) -> ColumnElement[int]:
    last = last_offered(asked)
    steps = [
        (last > literal(asked.now - length, LeadOffer.offered_at.type), points) for length, points in REST
    ]
    return case((last.is_(None), FULL), *steps, else_=LONGER)


CRITERIA: Final = {
    criterion.code: criterion
    for criterion in (
        Criterion("state", needs=_served),
        Criterion("licence", needs=_licence),
        Criterion("plan", needs=_plan),
        Criterion("load", score=_load, figure=open_leads),
        Criterion("rest", score=_rest, figure=last_offered),
    )
}
SHIPPED: Final = (("state", 1), ("licence", 1), ("plan", 1), ("load", 3), ("rest", 2))
