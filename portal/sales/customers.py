"""A vendor's customers: found by the vendor's own reference, made when they are missing."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.facts import CustomerRegistered
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Customer, Person
from portal.sales.refusals import NotYetKnown
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where


def find_or_register(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> tuple[Customer, bool]:
    """The customer the event speaks of, locked, and whether this event told us something new of them.

    The first consultant of a customer stays. Raises `NotYetKnown` where a new one comes without a consultant
    we know.
    """
    known = _locked(uow, vendor_id, event.customer_ref)
    if known is None:
        consultant = _consultant(uow, event)
        is_new = insert_or_skip(
            uow.session,
            Customer,
            unique=("vendor_id", "ref"),
            public_id=new_id(),
            vendor_id=vendor_id,
            ref=event.customer_ref,
            consultant_id=consultant.id,
            registered_at=event.occurred_at,
        )
        known = _locked(uow, vendor_id, event.customer_ref)
        assert known is not None, "a customer is never deleted"
        if is_new:
            uow.publish(CustomerRegistered(customer_id=known.id), key=f"customer-{known.id}-registered")
    else:
        is_new = False
    remembered = _remember(uow, known, event)
    return known, is_new or remembered


def _locked(uow: UnitOfWork, vendor_id: int, ref: str) -> Customer | None:
    return lock_where(uow, Customer, Customer.vendor_id == vendor_id, Customer.ref == ref)


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
    """Keep name and e-mail when they are given for the first time; without them there is no person."""
    named = event.customer_name or event.customer_email
    if not named or customer.person_id is not None:
        return False
    person = Person(
        public_id=new_id(), name=event.customer_name, email=event.customer_email, created_at=uow.clock()
    )
    uow.session.add(person)
    uow.session.flush()
    customer.person_id = person.id
    uow.session.flush()
    return True
