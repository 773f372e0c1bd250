"""Who a lead would be offered to, best first, and why: the rule of the day over everybody at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, literal, select
from sqlalchemy.orm import Session

from portal.kernel.clock import stamped
from portal.kernel.errors import BadInput
from portal.leads.criteria import CRITERIA, FULL, SHIPPED, Asked, last_offered, needs_licence, with_work
from portal.models import Consultant, LeadOffer, Pack, RoutingRule
from portal.store import UnitOfWork

HEAVIEST, LONGEST_HOURS, SHIPPED_HOURS = 10, 168, 24
RANKED: Final = 10


@dataclass(frozen=True)
class Weighed:
    """A criterion of a rule; a weight of 0 switches it off."""

    code: str
    weight: int


@dataclass(frozen=True)
class Candidate:
    """Somebody a lead may be offered to: `reasons` say why, `points` out of `of` how well they fit."""

    consultant: Consultant
    points: int
    of: int
    reasons: list[dict[str, object]]


def current_rule(session: Session, now: datetime) -> RoutingRule | None:
    """The rule that holds; None before anybody decided one or a lead was routed."""
    holding = select(RoutingRule).where(RoutingRule.valid_from <= now)
    return session.scalar(holding.order_by(RoutingRule.valid_from.desc(), RoutingRule.id.desc()).limit(1))


def ensure_rule(uow: UnitOfWork) -> RoutingRule:
    """The rule that holds; the shipped one is written where there is none."""
    holds = current_rule(uow.session, uow.clock())
    if holds is not None:
        return holds
    return _write(uow, [Weighed(*each) for each in SHIPPED], hours=SHIPPED_HOURS, actor_id=None)


def decide_rule(uow: UnitOfWork, weighed: Sequence[Weighed], *, hours: int, actor_id: int) -> RoutingRule:
    """Decide how leads find a consultant from now on; offers that stand keep the rule they were made by.

    Raises `BadInput` for a criterion that is not known or named twice, weights and hours out of bounds, and
    where nothing would rank people.
    """
    codes = [each.code for each in weighed]
    if sorted(codes) != sorted(set(codes)) or not set(codes) <= set(CRITERIA):
        raise BadInput("Each criterion stands in the order once.", field="criteria")
    if any(not 0 <= each.weight <= HEAVIEST for each in weighed):
        raise BadInput(f"A weight is from 0 to {HEAVIEST}.", field="criteria")
    if not 1 <= hours <= LONGEST_HOURS:
        raise BadInput(f"Please write 1 to {LONGEST_HOURS} hours.", field="answer_hours")
    if not any(each.weight and CRITERIA[each.code].score for each in weighed):
        raise BadInput("At least one criterion must give points.", field="criteria")
    rule = _write(uow, weighed, hours=hours, actor_id=actor_id)
    uow.note("routing.decide", thing="routing_rule", thing_id=rule.id, actor_id=actor_id, hours=hours)
    return rule


def weighed_of(rule: RoutingRule) -> list[Weighed]:
    """The criteria of a rule in their order; one that the house no longer knows is left out."""
    rows = [Weighed(str(row["code"]), int(str(row["weight"]))) for row in rule.criteria]
    return [row for row in rows if row.code in CRITERIA]


def ranked(
    session: Session, rule: RoutingRule, asked: Asked, *, lead_id: int | None = None, most: int = RANKED
) -> list[Candidate]:
    """The best `most` consultants for what is asked, best first; who was offered this lead is left out.

    More points go first, then more points of the criterion that stands first, then who waits longest for an
    offer, then who is with the company longest: the same question has the same answer.
    """
    rows = session.execute(_statement(rule, asked, lead_id).limit(most)).all()
    best = select(Consultant).where(Consultant.id.in_([row.id for row in rows]))
    people = {consultant.id: consultant for consultant in session.scalars(best).unique()}
    return [_candidate(rule, asked, row, people[row.id]) for row in rows]


def shut_out_by(session: Session, rule: RoutingRule, asked: Asked) -> str:
    """Why nobody is left: the code of the first criterion that nobody meets, empty where they were asked."""
    met: list[ColumnElement[bool]] = []
    for each in weighed_of(rule):
        needs = CRITERIA[each.code].needs
        if needs is None or not each.weight:
            continue
        met.append(needs(asked))
        if session.scalar(_active().where(*met).limit(1)) is None:
            return each.code
    return ""


def unmet_by(session: Session, asked: Asked, *, consultant_id: int) -> list[str]:
    """Codes of the criteria that somebody does not meet, also of those that the rule switches off."""
    return [
        code
        for code, criterion in CRITERIA.items()
        if criterion.needs is not None
        and session.scalar(_active().where(Consultant.id == consultant_id, criterion.needs(asked))) is None
    ]


def _active() -> Select[Any]:
    return select(Consultant.id).join(Pack, Pack.code == Consultant.pack).where(Consultant.status == "active")


def _statement(rule: RoutingRule, asked: Asked, lead_id: int | None) -> Select[Any]:
    weighed = [each for each in weighed_of(rule) if each.weight]
    scores: dict[str, ColumnElement[int]] = {}
    figures: list[ColumnElement[Any]] = []
    needed: list[ColumnElement[bool]] = []
    total: ColumnElement[int] = literal(0)
    for each in weighed:
        criterion = CRITERIA[each.code]
        if criterion.needs is not None:
            needed.append(criterion.needs(asked))
        if criterion.score is not None:
            scores[each.code] = criterion.score(asked).label(f"score_{each.code}")
            total = total + each.weight * criterion.score(asked)
        if criterion.figure is not None:
            figures.append(criterion.figure(asked).label(f"figure_{each.code}"))
    waited = last_offered(asked)
    order: list[ColumnElement[Any]] = [total.desc(), *(score.desc() for score in scores.values())]
    order += [waited.is_not(None), waited]
    statement: Any = select(Consultant.id, total.label("points"), *scores.values(), *figures)
    offered = select(LeadOffer.consultant_id).where(LeadOffer.lead_id == lead_id)
    fitting = (Consultant.status == "active", Consultant.id.not_in(offered), *needed)
    found: Select[Any] = with_work(statement.join(Pack, Pack.code == Consultant.pack)).where(*fitting)
    return found.order_by(*order, Consultant.id)


def _candidate(rule: RoutingRule, asked: Asked, row: Any, consultant: Consultant) -> Candidate:
    reasons: list[dict[str, object]] = []
    of = 0
    for each in weighed_of(rule):
        if not each.weight:
            continue
        reason: dict[str, object] = {"code": each.code, "weight": each.weight}
        if CRITERIA[each.code].score is not None:
            of += each.weight * FULL
            reason["points"] = getattr(row, f"score_{each.code}")
        if CRITERIA[each.code].figure is not None:
            figure = getattr(row, f"figure_{each.code}")
            reason["figure"] = stamped(figure) if isinstance(figure, datetime) else figure
        reasons.append(_said(reason, asked))
    return Candidate(consultant, int(row.points), of, reasons)


def _said(reason: dict[str, object], asked: Asked) -> dict[str, object]:
    """A reason with what the words for it need."""
    if reason["code"] in ("state", "licence"):
        reason["region"] = asked.region or ""
    if reason["code"] == "licence":
        reason["needed"] = needs_licence(asked)
    return reason


def _write(uow: UnitOfWork, weighed: Sequence[Weighed], *, hours: int, actor_id: int | None) -> RoutingRule:
    criteria: list[dict[str, object]] = [{"code": each.code, "weight": each.weight} for each in weighed]
    rule = RoutingRule(criteria=criteria, answer_hours=hours, valid_from=uow.clock(), decided_by=actor_id)
    uow.session.add(rule)
    uow.session.flush()
    return rule
