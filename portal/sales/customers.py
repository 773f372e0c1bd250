"""A vendor's customers: found by the vendor's own reference, made when they are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy import select

from portal.kernel.errors import BadInput
from portal.kernel.facts import CustomerReachable, CustomerRegistered
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Customer, Person
from portal.sales.refusals import NotYetKnown
from portal.store import UnitOfWork
from portal.store.insert import insert_new
from portal.store.locks import lock_where
from portal.store.people import (
    Contact,
    add_person,
    email_address,
    is_same_address,
    keep_contact,
    phone_number,
    reached_by,
    unlikeness,
)

VENDOR, ORDER = "vendor", "order"
MOST_IN_A_HOUSEHOLD = 20


class Found(NamedTuple):
    """A locked customer; whether they were registered just now, and whether an event told anything new."""

    customer: Customer
    is_new: bool
    is_news: bool


def find_or_register(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Found:
    """The customer the event speaks of; the one who signed up here counts as known.

    The first consultant of a customer stays. Raises `NotYetKnown` where a new one comes without a consultant
    we know.
    """
    known = _locked(uow, vendor_id, event.customer_ref)
    signed_up = _signed_up(uow, vendor_id, event) if known is None else None
    customer = known or signed_up
    if customer is None and (new := _register(uow, vendor_id, event)) is not None:
        return Found(new, is_new=True, is_news=True)
    customer = customer or _locked(uow, vendor_id, event.customer_ref)
    assert customer is not None, "a customer is never deleted"
    could_be_reached = _reached(customer)
    remembered = _remember(uow, customer, event)
    if _reached(customer) != could_be_reached:
        uow.publish(CustomerReachable(customer_id=customer.id))
    return Found(customer, is_new=False, is_news=signed_up is not None or remembered)


def _locked(uow: UnitOfWork, vendor_id: int, ref: str) -> Customer | None:
    return lock_where(uow, Customer, Customer.vendor_id == vendor_id, Customer.ref == ref)


def _register(uow: UnitOfWork, vendor_id: int, event: VendorEvent) -> Customer | None:
    """A new customer with all that is told of them; None where somebody else registered them just now."""
    consultant = _consultant(uow, event)
    draft = Customer(
        public_id=new_id(),
        vendor_id=vendor_id,
        ref=event.customer_ref,
        consultant_id=consultant.id,
        registered_at=event.occurred_at,
        own_use=False,
    )
    _remember(uow, draft, event)
    draft.person_id = draft.person.id if draft.person else None
    customer = insert_new(uow.session, draft, unique=("vendor_id", "ref"))
    if customer is not None:
        uow.publish(CustomerRegistered(customer_id=customer.id), key=f"customer-{customer.id}-registered")
    elif draft.person is not None:
        uow.session.delete(draft.person)
    return customer


def _signed_up(uow: UnitOfWork, vendor_id: int, event: VendorEvent) -> Customer | None:
    """Who signed up on our own page and is reported for the first time: from now on by the vendor's own ref.

    Found by e-mail or phone, the likeliest where a household shares one. A customer of another consultant
    than the one the event names stays apart.
    """
    told = _told(event)
    reached = reached_by(email=told.email, phone=told.phone)
    if reached is None:
        return None
    own = (Customer.vendor_id == vendor_id, Customer.ref == Customer.public_id)
    wanted = select(Customer.id, Person).join(Person, Person.id == Customer.person_id).where(*own, reached)
    if event.consultant_code:
        seller = Consultant.code == event.consultant_code.upper()
        wanted = wanted.join(Consultant, Consultant.id == Customer.consultant_id).where(seller)
    rows = uow.session.execute(wanted.order_by(Customer.id).limit(MOST_IN_A_HOUSEHOLD)).all()
    found = min(rows, key=lambda row: unlikeness(row.Person, told), default=None)
    customer = lock_where(uow, Customer, Customer.id == found.id, *own) if found is not None else None
    if customer is not None:
        customer.ref = event.customer_ref
        uow.session.flush()
    return customer


def _consultant(uow: UnitOfWork, event: VendorEvent) -> Consultant:
    if not event.consultant_code:
        raise NotYetKnown(
            f"The customer {event.customer_ref} is not registered yet, and the event names no consultant.",
            field="consultant_code",
        )
    statement = select(Consultant).where(Consultant.code == event.consultant_code.upper())
    found = uow.session.scalars(statement).unique().one_or_none()
    if found is None:
        raise NotYetKnown(
            f"There is no consultant with the code {event.consultant_code}.", field="consultant_code"
        )
    return found


def _remember(uow: UnitOfWork, customer: Customer, event: VendorEvent) -> bool:
    """Keep what is told of a customer for the first time; without a name or an address there is no person."""
    told = _told(event)
    if not (told.name or told.email or told.phone or told.address):
        return False
    person = customer.person
    if person is None:
        customer.person = add_person(uow, told)
    elif not _fill(person, told):
        _verify(customer, event)
        return False
    _notice_own_use(uow, customer)
    _verify(customer, event)
    return True


def _reached(customer: Customer) -> tuple[object, ...]:
    """By what a customer's leads are found; it only ever grows."""
    person = customer.person
    return (person.email or "", person.phone_mark) if person else ("", None)


def _told(event: VendorEvent) -> Contact:
    """What an event says of a customer; a number or an address that cannot be one is left out."""
    return Contact(
        name=event.customer_name,
        email=_readable(email_address, event.customer_email),
        phone=_readable(phone_number, event.customer_phone),
        address=event.customer_address,
        region=event.customer_state,
    )


def _readable(read: Callable[[str], str], written: str) -> str:
    try:
        return read(written)
    except BadInput:
        return ""


def _fill(person: Person, told: Contact) -> bool:
    """Fill in what is not known yet; a person of whom nothing is left asked for that, and stays so."""
    known = asdict(told) | {name: getattr(person, name) or "" for name in asdict(told)}
    news = {name: value for name, value in asdict(told).items() if value and not known[name]}
    if not news or not (person.name or person.email or person.phone or person.address):
        return False
    keep_contact(person, Contact(**{"name": "", **news}))
    return True


def _notice_own_use(uow: UnitOfWork, customer: Customer) -> None:
    """A customer with the consultant's own e-mail, number or address is the consultant's own household."""
    seller, person = uow.session.get_one(Consultant, customer.consultant_id).person, customer.person
    assert person is not None, "somebody was told of"
    same = (
        (person.email, seller.email.lower()),
        (person.phone_mark, seller.phone_mark),
    )
    reached = any(ours and ours == theirs for ours, theirs in same)
    if person.id == seller.id or reached or is_same_address(person.address, seller.address):
        customer.own_use = True
        if customer.verified_by in (VENDOR, ORDER):
            customer.verified_at = customer.verified_by = None


def _verify(customer: Customer, event: VendorEvent) -> None:
    """A vendor that knows a customer's name or e-mail vouches for them, from the first time it told it.

    Of an order in our own shop no vendor told anything: the payment vouches for who made it.
    """
    by = ORDER if event.type.startswith("order.") else VENDOR
    named = event.customer_name or event.customer_email
    if not named or customer.own_use or customer.verified_by not in (None, by):
        return
    customer.verified_by = by
    customer.verified_at = min(customer.verified_at or event.occurred_at, event.occurred_at)
