"""Nobody contacts who asks for that: asked by the person, by their consultant for them, or by the company."""

from __future__ import annotations

from sqlalchemy import select, update

from portal.kernel.errors import BadInput
from portal.leads import consents
from portal.leads.again import other_ways
from portal.leads.steps import add_step
from portal.models import Lead, LeadOffer, Person
from portal.store import UnitOfWork, people


def stop_contact(uow: UnitOfWork, person: Person, *, reason: str, actor_id: int | None) -> None:
    """Stop every channel of a person, take back their yes to be contacted and the offers of their leads.

    What else they gave when they asked again is theirs too.
    """
    people.stop_person(uow, person, reason=reason, asked_by=actor_id)
    consents.withdraw(uow, person, purpose=consents.CONTACT)
    leads = uow.session.scalars(select(Lead).where(Lead.person_id == person.id).order_by(Lead.id)).unique()
    for lead in leads:
        _withdraw_offers(uow, lead)
        for channel, mark in other_ways(uow, lead):
            people.stop(uow, channel=channel, mark=mark, reason=reason, asked_by=actor_id)
        add_step(uow, lead, "stop", text=reason, actor_id=actor_id)
    uow.note("contact.stop", thing="person", thing_id=person.id, actor_id=actor_id)


def stop_address(uow: UnitOfWork, *, reached: str, reason: str, actor_id: int) -> bool:
    """Stop one address or number, whoever it belongs to; False where it was stopped before.

    Raises `BadInput` for what is neither an e-mail nor a phone number.
    """
    channel, mark = _address(reached)
    reason = reason or "Asked for at the company"
    made = people.stop(uow, channel=channel, mark=mark, reason=reason, asked_by=actor_id)
    theirs = select(Person.id).where(Person.email == reached.strip().lower())
    if channel == people.PHONE:
        theirs = select(Person.id).where(Person.phone_mark == mark)
    for lead in uow.session.scalars(select(Lead).where(Lead.person_id.in_(theirs))).unique():
        _withdraw_offers(uow, lead)
    uow.note("contact.stop", thing="contact_stop", thing_id=None, actor_id=actor_id, channel=channel)
    return made


def lift_stop(uow: UnitOfWork, *, reached: str, reason: str, actor_id: int) -> bool:
    """Let an address or a number be contacted again; False where no stop stands. Raises `BadInput`."""
    channel, mark = _address(reached)
    lifted = people.lift(uow, channel=channel, mark=mark)
    uow.note("contact.lift", thing="contact_stop", thing_id=None, actor_id=actor_id, reason=reason[:200])
    return lifted


def _address(reached: str) -> tuple[str, str]:
    channel = people.EMAIL if "@" in reached else people.PHONE
    mark = people.mark_of(channel, reached)
    if not mark:
        raise BadInput("Please write an e-mail or a phone number.")
    return channel, mark


def _withdraw_offers(uow: UnitOfWork, lead: Lead) -> None:
    """Nobody is asked any more to take a lead that must not be contacted."""
    standing = update(LeadOffer).where(LeadOffer.lead_id == lead.id, LeadOffer.state == "open")
    uow.session.execute(standing.values(state="withdrawn", answered_at=uow.clock()))
