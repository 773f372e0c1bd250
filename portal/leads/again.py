"""Somebody who is there already asks again: what they told is added; nothing is lost or written over."""

from __future__ import annotations

from collections.abc import Container, Sequence

from sqlalchemy import select

from portal.extensions import seal
from portal.leads import consents
from portal.leads.enquiries import Enquiry
from portal.leads.steps import LONGEST_NOTE, add_step
from portal.models import Lead, LeadStep
from portal.store import UnitOfWork, people
from portal.store.people import EMAIL, PHONE, Contact

# The kind of step that keeps another way to reach somebody, and the word for another name.
ALSO, NAME = "also", "name"


def ask_again(uow: UnitOfWork, lead: Lead, enquiry: Enquiry, *, actor_id: int | None = None) -> None:
    """What is new about a lead that is there; what its consultant wrote down stays as it is."""
    person, contact = lead.person, enquiry.contact
    people.keep_contact(
        person,
        Contact(
            name="" if person.name else contact.name,
            email="" if person.email else contact.email,
            phone="" if person.phone else contact.phone,
            address="" if person.address else contact.address,
            region=person.region or contact.region,
        ),
    )
    lead.service_id, lead.region = lead.service_id or enquiry.service_id, lead.region or person.region
    for said in enquiry.said:
        consents.give(uow, person, said, source=enquiry.source)
    note = enquiry.note.strip()[:LONGEST_NOTE]
    add_step(uow, lead, "again", text=note, actor_id=actor_id, **enquiry.came_by)
    keep_other_ways(uow, lead, contact)


def keep_other_ways(uow: UnitOfWork, lead: Lead, contact: Contact) -> None:
    """Add an e-mail address, a number or a name that the lead's person is not known by; each once.

    Addresses and numbers are sealed, and found by their marks, so that a stop holds for them too.
    """
    known = set(people.marks_of(lead.person).values()) | {mark for _channel, mark in other_ways(uow, lead)}
    ways = ((EMAIL, people.email_address(contact.email)), (PHONE, people.phone_number(contact.phone)))
    for channel, kept in ways:
        mark = people.mark_of(channel, kept)
        if mark and mark not in known:
            add_step(uow, lead, ALSO, channel=channel, mark=mark, sealed=seal.close(kept))
    called = [lead.person.name, *(step.text for step in _steps(uow, lead) if step.text)]
    if not any(people.is_same_name(contact.name, name) for name in called):
        add_step(uow, lead, ALSO, text=" ".join(contact.name.split()), channel=NAME)


def other_ways(uow: UnitOfWork, lead: Lead) -> list[tuple[str, str]]:
    """Channel and mark of what else the person of a lead gave."""
    return [
        (str(step.detail["channel"]), str(step.detail["mark"]))
        for step in _steps(uow, lead)
        if "mark" in step.detail
    ]


def opened(step: LeadStep, *, hidden: Container[str]) -> str:
    """What such a step keeps, as people read it; empty where its mark is among the `hidden` ones."""
    if step.detail["channel"] == NAME:
        return step.text
    if step.detail["mark"] in hidden:
        return ""
    kept = seal.open(str(step.detail["sealed"]))
    return people.shown_phone(kept) if step.detail["channel"] == PHONE else kept


def _steps(uow: UnitOfWork, lead: Lead) -> Sequence[LeadStep]:
    mine = select(LeadStep).where(LeadStep.lead_id == lead.id, LeadStep.kind == ALSO)
    return uow.session.scalars(mine.order_by(LeadStep.id)).all()
