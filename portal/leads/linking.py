"""Leads and what vendors report: who became a customer, and how far their contracts came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import aliased

from portal.leads.steps import add_step, move
from portal.models import Contract, Customer, Lead, LeadStep, Person, Service
from portal.models.lead import LEAD_STAGES
from portal.store import UnitOfWork, people
from portal.store.locks import lock_row
from portal.store.people import Contact

MOST_AT_ONCE: Final = 200
STAGE_OF_STATE: Final = {"signed": "signed", "installed": "signed", "active": "won"}
CANCELLED: Final = "The contract was cancelled."


def link_customer(uow: UnitOfWork, *, customer_id: int) -> int:
    """Tie a customer to the leads of the same person and consultant; how many there were.

    The same person is found by the rules of `portal.store.people`: of a household with one phone it is one
    alone, who is tied already or else the likeliest. A lead for another vendor's service stays apart.
    """
    customer = uow.session.get_one(Customer, customer_id)
    person = customer.person
    reached = _reached(person) if person else None
    if person is None or reached is None:
        return 0
    of_vendor = select(Service.id).where(Service.vendor_id == customer.vendor_id)
    fitting = (Lead.archived_at.is_(None), or_(Lead.service_id.is_(None), Lead.service_id.in_(of_vendor)))
    free = and_(Lead.consultant_id == customer.consultant_id, Lead.customer_id.is_(None), *fitting, reached)
    mine = select(Lead).join(Person, Person.id == Lead.person_id)
    mine = mine.where(or_(Lead.customer_id == customer.id, free)).with_for_update(of=Lead)
    found = uow.session.scalars(mine.order_by(Lead.id)).unique().all()
    theirs = _of_one(found, person)
    for lead in theirs:
        lead.customer_id = customer.id
        add_step(uow, lead, "customer", customer_id=customer.id)
    return len(theirs)


def link_lead(uow: UnitOfWork, *, lead_id: int) -> int:
    """Tie a lead to a customer of its consultant whom a vendor registered before the lead came; 0 or 1."""
    lead = uow.session.get_one(Lead, lead_id)
    reached = _reached(lead.person)
    if lead.consultant_id is None or lead.customer_id is not None or reached is None:
        return 0
    same = Customer.consultant_id == lead.consultant_id, reached
    known = select(Customer).join(Person, Person.id == Customer.person_id).where(*same)
    customers = uow.session.scalars(known.order_by(Customer.id.desc())).unique().all()
    for customer in sorted(customers, key=lambda each: _unlike(lead.person, each.person)):
        link_customer(uow, customer_id=customer.id)
    return int(lead.customer_id is not None)


def _reached(person: Person) -> ColumnElement[bool] | None:
    return people.reached_by(email=people.known_email(person), phone=person.phone or "")


def _unlike(person: Person, other: Person | None) -> int:
    """How far one person is from another who is reached the same way; above 1 they are two."""
    return people.unlikeness(person, Contact(other.name, people.known_email(other))) if other else 0


def _of_one(leads: Sequence[Lead], person: Person) -> list[Lead]:
    """Those still to be tied of the leads of one and the same person, the likeliest to be `person`."""
    alike = [lead for lead in leads if lead.customer_id is not None or _unlike(lead.person, person) <= 1]
    first = min(
        alike, key=lambda lead: (lead.customer_id is None, _unlike(lead.person, person)), default=None
    )
    free = [lead for lead in alike if lead.customer_id is None]
    return [lead for lead in free if first and _unlike(lead.person, first.person) <= 1]


def follow_contracts(uow: UnitOfWork) -> int:
    """Let leads stand where the contracts of their customers do, at most 200 at once; how many moved.

    Forward only: what was signed is signed, what runs is won. A contract that was cancelled after the
    last move loses the lead.
    """
    moved = 0
    for lead_id in uow.session.scalars(_ahead().limit(MOST_AT_ONCE)):
        moved += _follow(uow, lock_row(uow, Lead, lead_id))
    for lead_id in uow.session.scalars(_cancelled().limit(MOST_AT_ONCE)):
        moved += _lose(uow, lock_row(uow, Lead, lead_id))
    return moved


def _about_it(contract: Any = Contract) -> Any:
    """A contract is a lead's where the customer is, and the service, if the lead names one."""
    same_service = or_(Lead.service_id.is_(None), Lead.service_id == contract.service_id)
    return and_(contract.customer_id == Lead.customer_id, same_service)


def _ahead() -> Select[Any]:
    """Leads whose contracts came further than they stand."""
    further = [
        and_(Contract.state == state, Lead.stage.in_(LEAD_STAGES[: LEAD_STAGES.index(stage)]))
        for state, stage in STAGE_OF_STATE.items()
    ]
    return select(Lead.id).join(Contract, _about_it()).where(or_(*further)).distinct().order_by(Lead.id)


def _cancelled() -> Select[Any]:
    """Signed or won leads of which no contract stands, and which were not moved since the last one went."""
    other = aliased(Contract)
    standing = select(other.id).where(_about_it(other), other.state != "cancelled").exists()
    later = (LeadStep.lead_id == Lead.id, LeadStep.kind == "stage", LeadStep.at >= Contract.cancelled_at)
    moved_since = select(LeadStep.id).where(*later).exists()
    return (
        select(Lead.id)
        .join(Contract, _about_it())
        .where(Lead.stage.in_(("signed", "won")), Contract.state == "cancelled", ~standing, ~moved_since)
        .distinct()
        .order_by(Lead.id)
    )


def _follow(uow: UnitOfWork, lead: Lead) -> bool:
    """Move a lead forward to where its furthest contract is."""
    states = uow.session.scalars(
        select(Contract.state).join(Lead, _about_it()).where(Lead.id == lead.id).distinct()
    )
    reached = [LEAD_STAGES.index(STAGE_OF_STATE[state]) for state in states if state in STAGE_OF_STATE]
    if not reached or max(reached) <= LEAD_STAGES.index(lead.stage):
        return False
    move(uow, lead, LEAD_STAGES[max(reached)])
    return True


def _lose(uow: UnitOfWork, lead: Lead) -> bool:
    if lead.stage not in ("signed", "won"):
        return False
    move(uow, lead, "lost", reason=CANCELLED)
    return True
