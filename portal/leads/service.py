"""Taking a lead in, from whatever door it comes: once for its key, once for a person and a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.facts import LeadTaken
from portal.kernel.ids import new_id
from portal.kernel.us import STATES
from portal.leads import consents
from portal.leads.again import ask_again, keep_other_ways
from portal.leads.enquiries import Enquiry
from portal.leads.steps import LONGEST_NOTE, add_step
from portal.models import Lead, Person, Service
from portal.models.lead import LEAD_SOURCES
from portal.store import UnitOfWork, people
from portal.store.locks import advisory
from portal.store.people import Contact

OVER: Final = ("won", "lost")
LONGEST_NAME: Final = 100


@dataclass(frozen=True)
class Taken:
    """The lead, and whether it is a new one; a known one only learned that the person asked again."""

    lead: Lead
    is_new: bool


class HadAlready(Conflict):
    """Leads of a consultant have the e-mail or the number of the one they write down: their public ids."""

    def __init__(self, public_ids: Sequence[str]) -> None:
        super().__init__("You have this person already.")
        self.public_ids = public_ids


def write_down(uow: UnitOfWork, *, enquiry: Enquiry, actor_id: int, anyway: bool) -> Taken:
    """Take in a lead that its consultant writes down; only `anyway` if it may be one they have.

    An open lead with the same name, and the same e-mail or number, is surely the same: it learns what is new.
    Raises `HadAlready`, else as `take_lead`.
    """
    _check(uow, enquiry)
    hold_person(uow, enquiry.contact)
    had = _reached_alike(uow, enquiry)
    named = (lead for lead in had if people.is_same_name(lead.person.name, enquiry.contact.name))
    same = next((lead for lead in named if lead.stage not in OVER), None)
    if same is not None:
        ask_again(uow, same, enquiry, actor_id=actor_id)
        return Taken(same, is_new=False)
    if had and not anyway:
        raise HadAlready([lead.public_id for lead in had])
    person = people.add_person(uow, enquiry.contact)
    return Taken(add_lead(uow, enquiry, person, stage="new", actor_id=actor_id), is_new=True)


def take_lead(uow: UnitOfWork, *, enquiry: Enquiry, stage: str = "new", actor_id: int | None = None) -> Taken:
    """Take a lead in. The same `origin`, or the same person with an open lead, makes no second one.

    A person whom a consultant is working on already stays with them, and what they told besides is added to
    its history. Publishes `lead.taken` for a new lead,
    which routes it where it has no consultant. Raises `BadInput` naming the field (`name`, `email`, `phone`,
    `region`, `source`, `service`), `Conflict` where a text that was agreed to has changed.
    """
    _check(uow, enquiry)
    hold_person(uow, enquiry.contact)
    known = _by_origin(uow, enquiry.origin)
    if known is not None:
        keep_other_ways(uow, known, enquiry.contact)
        return Taken(known, is_new=False)
    same = open_lead_of(uow, enquiry)
    if same is not None:
        ask_again(uow, same, enquiry, actor_id=actor_id)
        return Taken(same, is_new=False)
    person = people.add_person(uow, enquiry.contact)
    return Taken(add_lead(uow, enquiry, person, stage=stage, actor_id=actor_id), is_new=True)


def add_lead(uow: UnitOfWork, enquiry: Enquiry, person: Person, *, stage: str, actor_id: int | None) -> Lead:
    """A new lead of a person, told of; whoever calls has looked for one that is there already."""
    now = uow.clock()
    lead = Lead(
        public_id=new_id(),
        person_id=person.id,
        consultant_id=enquiry.consultant_id,
        service_id=enquiry.service_id,
        stage=stage,
        source=enquiry.source,
        source_name=enquiry.came_by.get("source_name"),
        origin=enquiry.origin,
        region=person.region,
        created_by=actor_id,
        created_at=now,
        changed_at=now,
    )
    uow.session.add(lead)
    uow.session.flush()
    for said in enquiry.said:
        consents.give(uow, person, said, source=enquiry.source)
    add_step(uow, lead, "taken", actor_id=actor_id, **enquiry.came_by)
    if enquiry.note.strip():
        add_step(uow, lead, "note", text=enquiry.note.strip()[:LONGEST_NOTE], actor_id=actor_id)
    uow.publish(LeadTaken(lead_id=lead.id), key=f"lead-{lead.id}-taken")
    return lead


def open_lead_of(uow: UnitOfWork, enquiry: Enquiry) -> Lead | None:
    """The open lead of the same person for the same service, or for none yet; locked.

    A consultant's own people are looked at for what is theirs; everybody's for what has no consultant.
    """
    among = _open_people(enquiry.consultant_id)
    same = people.same_people(uow.session, enquiry.contact, among=among)
    if not same:
        return None
    wanted = select(Lead).where(Lead.person_id.in_([each.person.id for each in same]), *_is_open())
    if enquiry.consultant_id is not None:
        wanted = wanted.where(Lead.consultant_id == enquiry.consultant_id)
    found = uow.session.scalars(wanted.order_by(Lead.id).with_for_update(of=Lead)).unique().all()
    fitting = [lead for lead in found if lead.service_id in (enquiry.service_id, None)]
    return fitting[0] if fitting else None


def _reached_alike(uow: UnitOfWork, enquiry: Enquiry) -> Sequence[Lead]:
    """The consultant's leads with the same e-mail or number, won and lost ones too."""
    contact = enquiry.contact
    alike = people.reached_by(email=contact.email, phone=contact.phone)
    if alike is None:
        return []
    theirs = (Lead.consultant_id == enquiry.consultant_id, Lead.archived_at.is_(None))
    found = select(Lead).join(Person, Person.id == Lead.person_id).where(*theirs, alike)
    return uow.session.scalars(found.order_by(Lead.id).with_for_update(of=Lead)).unique().all()


def hold_person(uow: UnitOfWork, contact: Contact) -> None:
    """Take in one enquiry of a person at a time, so that two at once make one lead."""
    email, phone = people.email_address(contact.email), people.phone_number(contact.phone)
    for reached in sorted({email, phone} - {""}):
        advisory(uow, f"lead-{people.mark_of(people.EMAIL if '@' in reached else people.PHONE, reached)}")


def _check(uow: UnitOfWork, enquiry: Enquiry) -> None:
    contact = enquiry.contact
    if not 1 <= len(contact.name.strip()) <= LONGEST_NAME:
        raise BadInput("Please write a name in up to 100 letters.", field="name")
    if not (people.email_address(contact.email) or people.phone_number(contact.phone)):
        raise BadInput("Please write an e-mail address or a phone number.", field="email")
    if contact.region and contact.region not in STATES:
        raise BadInput("Please write a state as two letters, such as CA.", field="region")
    if enquiry.source not in LEAD_SOURCES:
        raise BadInput(f"A lead comes by one of: {', '.join(LEAD_SOURCES)}.", field="source")
    service = uow.session.get(Service, enquiry.service_id) if enquiry.service_id is not None else None
    if enquiry.service_id is not None and (service is None or service.withdrawn_at is not None):
        raise BadInput("There is no such service.", field="service")


def _by_origin(uow: UnitOfWork, origin: str | None) -> Lead | None:
    if origin is None:
        return None
    return uow.session.scalars(select(Lead).where(Lead.origin == origin)).unique().one_or_none()


def _is_open() -> tuple[Any, ...]:
    return (Lead.archived_at.is_(None), Lead.stage.not_in(OVER))


def _open_people(consultant_id: int | None) -> Select[Any]:
    people_ids = select(Lead.person_id).where(*_is_open())
    return people_ids if consultant_id is None else people_ids.where(Lead.consultant_id == consultant_id)
