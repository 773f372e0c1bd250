"""Reads for the shop's pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.kernel.errors import NotYours
from portal.leads.selling import may_sell, terms_of_day
from portal.models import Consultant, Pack, Service, Vendor
from portal.payments.orders import is_sold_here


def seller(session: Session, code: str) -> Consultant:
    """The active consultant whose link this is. Raises `NotYours`."""
    wanted = (Consultant.code == code.strip().upper(), Consultant.status == "active")
    found = session.scalar(select(Consultant).where(*wanted))
    if found is None:
        raise NotYours("There is no shop under this address.")
    return found


def services(session: Session) -> Sequence[Service]:
    """Everything that is sold here, by vendor and name."""
    priced = or_(Service.price_cents > 0, Service.price_per_unit_cents > 0)
    statement = (
        select(Service)
        .join(Vendor, Vendor.id == Service.vendor_id)
        .where(priced, Vendor.disabled_at.is_(None))
        .options(joinedload(Service.vendor), selectinload(Service.terms))
        .order_by(Vendor.name, Service.name)
    )
    return [service for service in session.scalars(statement).unique() if is_sold_here(service)]


def sold_by(session: Session, seller: Consultant, *, day: date) -> Sequence[Service]:
    """What a consultant's plan lets them sell of it on a day."""
    return [each for each in services(session) if not is_barred(session, seller, each, day=day)]


def is_barred(session: Session, seller: Consultant, service: Service, *, day: date) -> bool:
    """Whether a sale of a service by this consultant would be held, since their plan does not sell it.

    Before its first terms a service is judged by those, as its contracts are.
    """
    terms = terms_of_day(session, service.id, day) or min(service.terms, key=lambda each: each.valid_from)
    pack = session.get_one(Pack, seller.pack)
    return not may_sell(pack, vendor=service.vendor, terms=terms)


def service(session: Session, service_id: int) -> Service:
    """One of them. Raises `NotYours`."""
    found = next((each for each in services(session) if each.id == service_id), None)
    if found is None:
        raise NotYours("This service is not sold here.")
    return found
