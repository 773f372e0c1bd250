"""Nobody contacts who asks for that: asked by the person, by their consultant for them, or by the company."""

from __future__ import annotations

from sqlalchemy import select, update

from portal.leads import consents
from portal.leads.steps import add_step
from portal.models import Lead, LeadOffer, Person
from portal.store import UnitOfWork, people


def stop_contact(uow: UnitOfWork, person: Person, *, reason: str, actor_id: int | None) -> None:
    """Stop every channel of a person, take back their yes to be contacted and the offers of their leads."""
    people.stop_person(uow, person, reason=reason, asked_by=actor_id)
    consents.withdraw(uow, person, purpose=consents.CONTACT)
    leads = uow.session.scalars(select(Lead).where(Lead.person_id == person.id).order_by(Lead.id)).unique()
    for lead in leads:
        _withdraw_offers(uow, lead)
        add_step(uow, lead, "stop", text=reason, actor_id=actor_id)
    uow.note("contact.stop", thing="person", thing_id=person.id, actor_id=actor_id)


def _withdraw_offers(uow: UnitOfWork, lead: Lead) -> None:
    """Nobody is asked any more to take a lead that must not be contacted."""
    standing = update(LeadOffer).where(LeadOffer.lead_id == lead.id, LeadOffer.state == "open")
    uow.session.execute(standing.values(state="withdrawn", answered_at=uow.clock()))
