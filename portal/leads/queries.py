"""Reads for the lead desk: bounded, and of one's own leads alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from portal.kernel.errors import BadInput
from portal.kernel.vendor_events import WITHDRAWN
from portal.leads.again import ALSO, opened
from portal.leads.service import OVER
from portal.models import (
    Consent,
    Contract,
    ContractFact,
    Lead,
    LeadOffer,
    LeadStep,
    LeadTask,
    Person,
    Sale,
    Service,
)
from portal.models.lead import LEAD_SOURCES, LEAD_STAGES
from portal.store import people
from portal.store.contract_facts import is_withdrawn

PAGE: Final = 25
MOST_STEPS: Final = 200
MOST_TASKS: Final = 20
MOST_SOURCES: Final = 50


@dataclass(frozen=True)
class LeadLine:
    """A lead as the list shows it; `due_on` is the nearest task that is not done."""

    lead: Lead
    due_on: date | None
    stopped: bool


@dataclass(frozen=True)
class Moment:
    """A line of the timeline: `kind` of a step, of a vendor's report (`service.…`), or `sale`, `reversal`.

    `volume` in hundredths; `about` names the service of a report.
    """

    at: datetime
    kind: str
    text: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    volume: int = 0
    by_hand: bool = False


@dataclass(frozen=True)
class Sought:
    """Which leads are asked for: those on a stage (`archived`, any other word for all that are open).

    `asked` is a text to find them by; `came` is where they come from, as `sources_of` tells it.
    """

    stage: str = ""
    asked: str = ""
    came: str = ""


def own_leads(consultant_id: int, sought: Sought) -> Select[Any]:
    """A consultant's leads, those that are sought."""
    statement = select(Lead).join(Person, Person.id == Lead.person_id)
    statement = statement.where(Lead.consultant_id == consultant_id, _on(sought.stage))
    for wanted in (_called(sought.asked), _came_by(sought.came)):
        statement = statement if wanted is None else statement.where(wanted)
    return statement


def sources_of(session: Session, consultant_id: int) -> list[tuple[str, str, str | None]]:
    """From where own leads come, most first: the word to seek them by, the source and its name."""
    number = func.count().label("number")
    mine = select(Lead.source, Lead.source_name).where(Lead.consultant_id == consultant_id)
    grouped = mine.group_by(Lead.source, Lead.source_name).order_by(number.desc(), Lead.source)
    rows = session.execute(grouped.limit(MOST_SOURCES))
    return [(f"{source}:{name or ''}", source, name) for source, name in rows]


def page_of(session: Session, leads: Select[Any], *, before: int | None = None) -> list[LeadLine]:
    """A page of leads, newest first, with one more than fits where there are more."""
    if before is not None:
        leads = leads.where(Lead.id < before)
    found: Sequence[Lead] = session.scalars(leads.order_by(Lead.id.desc()).limit(PAGE + 1)).unique().all()
    ids = [lead.id for lead in found]
    due = select(LeadTask.lead_id, func.min(LeadTask.due_on)).where(
        LeadTask.lead_id.in_(ids), LeadTask.done_at.is_(None)
    )
    days: dict[int, date] = {row[0]: row[1] for row in session.execute(due.group_by(LeadTask.lead_id))}
    stops = people.stopped(session, [lead.person for lead in found])
    return [LeadLine(lead, days.get(lead.id), lead.person_id in stops) for lead in found]


def counts(session: Session, consultant_id: int) -> dict[str, int]:
    """How many own leads stand on each stage, how many are open and how many archived."""
    mine = select(Lead.stage, Lead.archived_at.is_not(None).label("away"), func.count().label("number"))
    grouped = mine.where(Lead.consultant_id == consultant_id).group_by(Lead.stage, "away")
    found = dict.fromkeys(("open", *LEAD_STAGES, "archived"), 0)
    for stage, away, number in session.execute(grouped):
        found["archived" if away else stage] += number
        if not away and stage not in OVER:
            found["open"] += number
    return found


def tasks_to_do(session: Session, consultant_id: int) -> Sequence[tuple[LeadTask, Lead]]:
    """What is to be done about own leads, nearest first."""
    mine = (Lead.consultant_id == consultant_id, Lead.archived_at.is_(None), LeadTask.done_at.is_(None))
    statement = select(LeadTask, Lead).join(Lead, Lead.id == LeadTask.lead_id).where(*mine)
    rows = session.execute(statement.order_by(LeadTask.due_on, LeadTask.id).limit(MOST_TASKS)).unique()
    return [(task, lead) for task, lead in rows]


def tasks_of(session: Session, lead: Lead) -> Sequence[LeadTask]:
    """The tasks of a lead: open ones by their day, then those that are done."""
    mine = select(LeadTask).where(LeadTask.lead_id == lead.id)
    return session.scalars(mine.order_by(LeadTask.done_at.is_not(None), LeadTask.due_on, LeadTask.id)).all()


def own_lead(session: Session, public_id: str, consultant_id: int) -> Lead | None:
    """A consultant's own lead."""
    mine = (Lead.public_id == public_id, Lead.consultant_id == consultant_id)
    return session.scalars(select(Lead).where(*mine)).unique().one_or_none()


def consents_of(session: Session, person_id: int) -> Sequence[Consent]:
    """What a person agreed to and did not take back."""
    standing = (Consent.person_id == person_id, Consent.withdrawn_at.is_(None))
    return session.scalars(select(Consent).where(*standing).order_by(Consent.id)).all()


def offers_to(session: Session, consultant_id: int, now: datetime) -> Sequence[LeadOffer]:
    """Leads that wait for a consultant's answer, the shortest time first."""
    mine = (LeadOffer.consultant_id == consultant_id, LeadOffer.state == "open", LeadOffer.respond_by > now)
    return session.scalars(select(LeadOffer).where(*mine).order_by(LeadOffer.respond_by)).unique().all()


def open_offers(session: Session) -> Sequence[LeadOffer]:
    """Every offer that waits for an answer, the shortest time first."""
    waiting = select(LeadOffer).where(LeadOffer.state == "open").options(joinedload(LeadOffer.consultant))
    return session.scalars(waiting.order_by(LeadOffer.respond_by).limit(PAGE)).unique().all()


def left_because(session: Session, lead_ids: Sequence[int]) -> dict[int, str]:
    """Why leads were left to the company: the newest reason of each."""
    steps = select(LeadStep).where(LeadStep.lead_id.in_(lead_ids), LeadStep.kind == "unrouted")
    rows = session.scalars(steps.order_by(LeadStep.id))
    return {step.lead_id: str(step.detail.get("why", "")) for step in rows}


def timeline(session: Session, lead: Lead) -> list[Moment]:
    """What happened with a lead and with the contracts of its customer, newest first."""
    steps = select(LeadStep).where(LeadStep.lead_id == lead.id).order_by(LeadStep.id.desc())
    found = session.scalars(steps.limit(MOST_STEPS)).all()
    hidden = _hidden_marks(session, lead, found)
    moments = [
        Moment(
            step.at,
            step.kind,
            opened(step, hidden=hidden) if step.kind == ALSO else step.text,
            step.detail,
            by_hand=step.actor_id is not None,
        )
        for step in found
    ]
    if lead.customer_id is not None:
        moments += _reported(session, lead) + _sold(session, lead)
    return sorted(moments, key=lambda each: each.at, reverse=True)[:MOST_STEPS]


def _hidden_marks(session: Session, lead: Lead, steps: Sequence[LeadStep]) -> set[str]:
    """The marks of what else somebody gave and nobody may contact: all of it once the person was stopped."""
    marks = {str(step.detail["mark"]) for step in steps if "mark" in step.detail}
    return marks if people.is_stopped(session, lead.person) else people.stopped_marks(session, marks)


def _reported(session: Session, lead: Lead) -> list[Moment]:
    statement = (
        select(ContractFact, Service.name)
        .join(Contract, Contract.id == ContractFact.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .where(Contract.customer_id == lead.customer_id, ContractFact.type != WITHDRAWN, ~is_withdrawn())
        .order_by(ContractFact.occurred_at.desc())
        .limit(MOST_STEPS)
    )
    return [
        Moment(fact.occurred_at, fact.type, detail={"period": fact.period}, about=name)
        for fact, name in session.execute(statement)
    ]


def _sold(session: Session, lead: Lead) -> list[Moment]:
    """The sales of one's own that came of the customer."""
    statement = (
        select(Sale.recorded_at, Sale.volume, Sale.reverses_id, Service.name)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .where(Contract.customer_id == lead.customer_id, Sale.consultant_id == lead.consultant_id)
        .order_by(Sale.id.desc())
        .limit(MOST_STEPS)
    )
    return [
        Moment(at, "reversal" if reverses else "sale", about=name, volume=volume)
        for at, volume, reverses, name in session.execute(statement)
    ]


def _on(stage: str) -> ColumnElement[bool]:
    if stage == "archived":
        return Lead.archived_at.is_not(None)
    here = Lead.stage == stage if stage in LEAD_STAGES else Lead.stage.not_in(OVER)
    return here & Lead.archived_at.is_(None)


def _came_by(came: str) -> ColumnElement[bool] | None:
    source, _colon, name = came.partition(":")
    if source not in LEAD_SOURCES:
        return None
    return and_(Lead.source == source, Lead.source_name == name if name else Lead.source_name.is_(None))


def _called(asked: str) -> ColumnElement[bool] | None:
    """People whose name or e-mail holds the text, or whose number it is: whole, or its last four digits."""
    asked = asked.strip().lower()
    if not asked:
        return None
    wanted = [
        func.lower(Person.name).contains(asked, autoescape=True),
        Person.email.startswith(asked, autoescape=True),
    ]
    digits = re.sub(r"[^0-9]", "", asked)
    if len(digits) == people.END_DIGITS:
        wanted.append(Person.phone_end_mark == people.end_mark_of(digits))
    with suppress(BadInput):
        wanted.append(Person.phone_mark == people.mark_of(people.PHONE, asked))
    return or_(*wanted)
