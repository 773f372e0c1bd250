"""Mails about leads: to the person who signed up, and to the consultant whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence

from portal.kernel.clock import stamped
from portal.messages.service import queue_message
from portal.models import Consultant, Lead, LeadOffer, Service
from portal.models.lead import LEAD_SOURCES
from portal.store import UnitOfWork, people


def say_signed_up(uow: UnitOfWork, *, lead_id: int) -> None:
    """Tell a customer what happens next, and their consultant that they signed up."""
    lead = uow.session.get_one(Lead, lead_id)
    service = uow.session.get_one(Service, lead.service_id)
    if lead.person.email:
        queue_message(
            uow,
            key=f"signed-up:{lead_id}",
            template="signed_up",
            person_id=lead.person_id,
            params={
                "service": service.name,
                "vendor": service.vendor.name,
                "confirm": people.token_for(lead.person, people.CONFIRM),
            },
        )
    say_lead_taken(uow, lead_id=lead_id, sources=LEAD_SOURCES)


def say_lead_taken(uow: UnitOfWork, *, lead_id: int, sources: Sequence[str]) -> None:
    """Tell a consultant of a lead that came by one of `sources`; nobody where it has no consultant yet."""
    lead = uow.session.get_one(Lead, lead_id)
    if lead.consultant_id is None or lead.source not in sources:
        return
    queue_message(
        uow,
        key=f"lead-taken:{lead_id}",
        template="lead_taken",
        person_id=uow.session.get_one(Consultant, lead.consultant_id).person_id,
        params={
            "lead": lead.public_id,
            "source": lead.source,
            "stopped": bool(people.is_stopped(uow.session, lead.person)),
        },
    )


def say_lead_offered(uow: UnitOfWork, *, offer_id: int) -> None:
    """Tell a consultant that a lead waits for their answer."""
    offer = uow.session.get_one(LeadOffer, offer_id)
    if offer.state != "open":
        return
    queue_message(
        uow,
        key=f"lead-offered:{offer_id}",
        template="lead_offered",
        person_id=uow.session.get_one(Consultant, offer.consultant_id).person_id,
        params={"offer": offer.public_id, "respond_by": stamped(offer.respond_by)},
    )
