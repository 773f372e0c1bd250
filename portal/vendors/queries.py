"""Reads for the vendors' pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only, selectinload
from wtforms.fields.choices import SelectChoice

from portal.kernel.errors import NotYours
from portal.models import Contract, Inbox, Pack, Service, TermsVersion, Vendor, VendorKey

NEWEST = 50


@dataclass(frozen=True)
class ServiceRow:
    """A service with the terms in force today; None before its first."""

    service: Service
    terms: TermsVersion | None


def vendor_by_public_id(session: Session, public_id: str) -> Vendor:
    """The vendor with its services, terms and keys. Raises `NotYours`."""
    found = session.scalars(
        select(Vendor)
        .where(Vendor.public_id == public_id)
        .options(selectinload(Vendor.services).selectinload(Service.terms), selectinload(Vendor.keys))
    ).one_or_none()
    if found is None:
        raise NotYours("There is no such vendor.")
    return found


def service_of(vendor: Vendor, code: str) -> Service:
    """One of a vendor's services. Raises `NotYours`."""
    found = next((service for service in vendor.services if service.code == code), None)
    if found is None:
        raise NotYours("This vendor has no such service.")
    return found


def service_rows(vendor: Vendor, *, today: date) -> list[ServiceRow]:
    """The services with what they are worth today."""
    return [ServiceRow(service, terms_in_force(service, today=today)) for service in vendor.services]


def terms_in_force(service: Service, *, today: date) -> TermsVersion | None:
    """The newest terms that have begun, else the first to begin."""
    begun = [terms for terms in service.terms if terms.valid_from <= today]
    return begun[-1] if begun else next(iter(service.terms), None)


def version_of(service: Service, day: str) -> TermsVersion:
    """The terms of a service that begin on a day, `2026-11-01`. Raises `NotYours`."""
    found = next((terms for terms in service.terms if terms.valid_from.isoformat() == day), None)
    if found is None:
        raise NotYours("There are no terms that begin on this day.")
    return found


def contracts_by_terms(session: Session, service_id: int) -> dict[int, int]:
    """How many contracts each version of a service's terms has; versions without one are left out."""
    statement = (
        select(Contract.terms_version_id, func.count())
        .where(Contract.service_id == service_id)
        .group_by(Contract.terms_version_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def pack_choices(session: Session) -> list[SelectChoice]:
    """The plans that may be chosen, in their order."""
    rows = session.execute(select(Pack.code, Pack.name).order_by(Pack.position))
    return [SelectChoice(value=row.code, label=row.name) for row in rows]


def live_keys(vendor: Vendor) -> list[VendorKey]:
    """The keys that open the door now."""
    return [key for key in vendor.keys if key.revoked_at is None]


def newest_events(session: Session, vendor_id: int) -> Sequence[Inbox]:
    """The newest 50 events that arrived, without their bodies."""
    columns = (
        Inbox.event_id,
        Inbox.kind,
        Inbox.state,
        Inbox.attempts,
        Inbox.deliveries,
        Inbox.received_at,
        Inbox.next_at,
        Inbox.last_error,
    )
    statement = select(Inbox).where(Inbox.vendor_id == vendor_id).options(load_only(*columns))
    return session.scalars(statement.order_by(Inbox.id.desc()).limit(NEWEST)).all()
