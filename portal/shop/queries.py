"""Reads for the shop's pages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.kernel.errors import NotYours
from portal.models import Consultant, Service, Vendor
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


def service(session: Session, service_id: int) -> Service:
    """One of them. Raises `NotYours`."""
    found = next((each for each in services(session) if each.id == service_id), None)
    if found is None:
        raise NotYours("This service is not sold here.")
    return found
