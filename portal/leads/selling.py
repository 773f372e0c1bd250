"""What a service may be sold by: the terms of a day, the states it is served in, the packs that sell it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.kernel.us import STATES
from portal.models import Pack, Service, TermsVersion, Vendor

CORE: str = "core"


def terms_of_day(session: Session, service_id: int, day: date) -> TermsVersion | None:
    """The terms by which a contract of that day is paid; None before the first ones."""
    holding = (TermsVersion.service_id == service_id, TermsVersion.valid_from <= day)
    return session.scalar(
        select(TermsVersion).where(*holding).order_by(TermsVersion.valid_from.desc()).limit(1)
    )


def is_served(terms: TermsVersion, region: str) -> bool:
    """Whether a service is sold in a state; no list of states means all of them."""
    return not terms.states or region in terms.states


def served_states(terms: TermsVersion) -> list[str]:
    """The names of the states in which a service is sold."""
    return [STATES[code] for code in sorted(terms.states) if code in STATES]


def may_sell(pack: Pack, *, vendor: Vendor, terms: TermsVersion) -> bool:
    """Whether who holds a pack may sell a service."""
    of_terms = not terms.packs or pack.code in terms.packs
    return of_terms and (vendor.core or pack.features.get("vendors") != CORE)


def offered_service(session: Session, vendor_public_id: str, code: str) -> Service | None:
    """A service that customers can ask for now, by the address of its page."""
    wanted = select(Service).join(Vendor, Vendor.id == Service.vendor_id)
    named = (Vendor.public_id == vendor_public_id, Service.code == code)
    living = (Vendor.disabled_at.is_(None), Service.withdrawn_at.is_(None))
    return session.scalar(wanted.where(*named, *living).options(joinedload(Service.vendor)))


def offered_services(session: Session, *, day: date) -> list[tuple[Service, TermsVersion]]:
    """Every service that customers can ask for on a day, with its terms, by vendor and name."""
    living = (Vendor.disabled_at.is_(None), Service.withdrawn_at.is_(None))
    rows = session.execute(
        select(Service, TermsVersion)
        .join(Vendor, Vendor.id == Service.vendor_id)
        .join(TermsVersion, TermsVersion.service_id == Service.id)
        .where(*living, TermsVersion.valid_from <= day)
        .options(joinedload(Service.vendor))
        .order_by(Vendor.name, Service.name, TermsVersion.valid_from)
    )
    newest = {service.id: (service, terms) for service, terms in rows}
    return list(newest.values())
