"""Forms for pages elsewhere: who makes one, whose pages may send it, and the leads that come by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id
from portal.kernel.origins import LONGEST_ORIGIN, is_origin, origin_of
from portal.leads import consents
from portal.leads.consents import Said
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import Consultant, LeadForm, Pack, Service
from portal.store import UnitOfWork, people
from portal.store.locks import advisory, lock_where
from portal.store.people import Contact

MOST_FORMS: Final = 20
MOST_ORIGINS: Final = 10
LONGEST_URL: Final = 500
NOT_HERE: Final = "There is nothing here under this address."


@dataclass(frozen=True)
class Wish:
    """A form as somebody wants it. Without `origins` every page may send it; `thanks_url` lies under one."""

    name: str
    service_id: int | None = None
    origins: tuple[str, ...] = ()
    ask_phone: bool = False
    thanks_url: str = ""


@dataclass(frozen=True)
class Sent:
    """What somebody wrote in a form, and the texts they agreed to there, each named by its version."""

    contact: Contact
    said: tuple[Said, ...]
    note: str = ""


def add_form(uow: UnitOfWork, *, consultant_id: int | None, wish: Wish, actor_id: int) -> LeadForm:
    """A new form of a consultant, or of the company. Raises `BadInput` naming the field, `Conflict`."""
    origins = _origins(wish)
    thanks = wish.thanks_url.strip()
    if len(thanks) > LONGEST_URL or (thanks and origin_of(thanks) not in origins):
        raise BadInput("Please write an address on one of the pages named above.", field="thanks_url")
    if wish.service_id is not None and not _is_offered(uow.session, wish.service_id):
        raise BadInput("There is no such service.", field="service")
    advisory(uow, f"lead-forms-{consultant_id or 'company'}")
    if len(forms_of(uow.session, consultant_id)) >= MOST_FORMS:
        raise Conflict(f"There are {MOST_FORMS} forms already. Please end one of them.", field="name")
    form = LeadForm(
        public_id=new_id(),
        consultant_id=consultant_id,
        service_id=wish.service_id,
        name=wish.name.strip(),
        origins=list(origins),
        ask_phone=wish.ask_phone,
        thanks_url=thanks or None,
        created_by=actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(form)
    uow.session.flush()
    uow.note("lead-form.make", thing="lead_form", thing_id=form.id, actor_id=actor_id)
    return form


def end_form(uow: UnitOfWork, *, public_id: str, consultant_id: int | None, actor_id: int) -> None:
    """Take nothing more by a form; one that is over stays over. Raises `NotYours`."""
    form = lock_where(uow, LeadForm, LeadForm.public_id == public_id, _owned_by(consultant_id))
    if form is None:
        raise NotYours(NOT_HERE)
    if form.ended_at is None:
        form.ended_at = uow.clock()
        uow.note("lead-form.end", thing="lead_form", thing_id=form.id, actor_id=actor_id)


def forms_of(session: Session, consultant_id: int | None) -> Sequence[LeadForm]:
    """The forms of a consultant, or of the company, that are not over."""
    own = select(LeadForm).where(_owned_by(consultant_id), LeadForm.ended_at.is_(None))
    return session.scalars(own.order_by(LeadForm.id)).all()


def own_form(session: Session, public_id: str, consultant_id: int | None) -> LeadForm:
    """One of them, or one that is over. Raises `NotYours`."""
    return _one(session, LeadForm.public_id == public_id, _owned_by(consultant_id))


def any_form(session: Session, public_id: str) -> LeadForm:
    """Whosever form it is, also one that is over. Raises `NotYours`."""
    return _one(session, LeadForm.public_id == public_id)


def live_form(session: Session, public_id: str) -> LeadForm:
    """Whosever form it is. Raises `NotYours` for one that is over."""
    return _one(session, LeadForm.public_id == public_id, LeadForm.ended_at.is_(None))


def service_of(session: Session, form: LeadForm) -> Service | None:
    """The service a form is about; None where it is about none, or about one that is no longer offered."""
    service = session.get(Service, form.service_id) if form.service_id is not None else None
    return service if service is not None and service.withdrawn_at is None else None


def consultant_of(session: Session, form: LeadForm) -> Consultant | None:
    """Whose lead it becomes: the maker's while they are active and their pack has a lead desk.

    None where the lead is routed.
    """
    maker = session.get(Consultant, form.consultant_id) if form.consultant_id is not None else None
    if maker is None or maker.status != "active":
        return None
    return maker if session.get_one(Pack, maker.pack).features.get("lead_desk") else None


def take(uow: UnitOfWork, *, public_id: str, sent: Sent) -> None:
    """Take in what came by a form: one lead for a person and a day, none of who is not to be contacted.

    Who sends it is told the same in each case. Raises `NotYours` for a form that is over, `Conflict` for a
    text that never was, else as `take_lead`.
    """
    form = live_form(uow.session, public_id)
    for said in sent.said:
        consents.text_of(uow.session, said)
    if people.is_contact_stopped(uow.session, sent.contact):
        return
    service, consultant = service_of(uow.session, form), consultant_of(uow.session, form)
    enquiry = Enquiry(
        contact=sent.contact,
        source="form",
        service_id=service.id if service else None,
        consultant_id=consultant.id if consultant else None,
        origin=f"form-{form.public_id}-{uow.clock().date()}-{_mark(sent.contact)}",
        note=sent.note,
        said=sent.said,
        source_name=form.name,
    )
    take_lead(uow, enquiry=enquiry)


def _mark(contact: Contact) -> str:
    """Whose enquiry it is: a phone rings in a whole household, so the name tells its people apart."""
    if by_email := people.mark_of(people.EMAIL, contact.email):
        return by_email
    return people.mark_of_one(contact.phone, contact.name)


def _origins(wish: Wish) -> tuple[str, ...]:
    for written in wish.origins:
        if len(written) > LONGEST_ORIGIN or not is_origin(written):
            raise BadInput(f"This is not the address of a website: {written[:60]}", field="origins")
    found = tuple(dict.fromkeys(origin_of(written) for written in wish.origins))
    if len(found) > MOST_ORIGINS:
        raise BadInput(f"Please name at most {MOST_ORIGINS} websites.", field="origins")
    return found


def _is_offered(session: Session, service_id: int) -> bool:
    service = session.get(Service, service_id)
    return service is not None and service.withdrawn_at is None


def _owned_by(consultant_id: int | None) -> ColumnElement[bool]:
    if consultant_id is None:
        return LeadForm.consultant_id.is_(None)
    return LeadForm.consultant_id == consultant_id


def _one(session: Session, *wanted: ColumnElement[bool]) -> LeadForm:
    found = session.scalar(select(LeadForm).where(*wanted))
    if found is None:
        raise NotYours(NOT_HERE)
    return found
