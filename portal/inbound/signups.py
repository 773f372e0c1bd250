"""The vendors' door for people who asked for their services on our pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from flask import Response
from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, or_, select
from sqlalchemy.orm import Session

from portal.access.guard import public
from portal.extensions import db
from portal.inbound import pages
from portal.inbound.events import VENDOR
from portal.inbound.operations import LIST_SIGNUPS
from portal.inbound.room import answers_plainly, inbound
from portal.inbound.signed import Message, signed
from portal.inbound.told import instant
from portal.kernel.clock import utc_now
from portal.models import Consent, Consultant, Customer, Lead, LeadStep, Service
from portal.store.people import stopped
from portal.ui.operations import documented

# What two people write at the same moment must not come in the wrong order.
SETTLED_AFTER: Final = timedelta(seconds=5)

_SINCE: Final = case((Customer.registered_at > LeadStep.at, Customer.registered_at), else_=LeadStep.at)


@inbound.get(f"{VENDOR}/signups")
@documented(LIST_SIGNUPS)
@public
@answers_plainly
@signed()
def list_signups(message: Message) -> Response:
    """Who asked for a service of this vendor and agreed that the vendor learns of it, page by page."""
    after, most = pages.asked_for()
    session = db.session()
    of_vendor = _signups(message.vendor_id)
    if after:
        place = session.execute(of_vendor.where(Lead.public_id == after)).one_or_none()
        if place is None:
            pages.lost()
        of_vendor = of_vendor.where(_comes_after(place))
    rows = session.execute(of_vendor.order_by(_SINCE, Lead.id).limit(most + 1)).all()
    return pages.page("signups", _told(session, rows), most=most)


def _signups(vendor_id: int) -> Select[Any]:
    agreed = exists().where(
        Consent.person_id == Lead.person_id, Consent.purpose == "signup", Consent.withdrawn_at.is_(None)
    )
    return (
        select(Lead, Customer, Consultant.code, LeadStep.detail, LeadStep.at, _SINCE.label("since"))
        .join(Service, Service.id == Lead.service_id)
        .join(Customer, Customer.id == Lead.customer_id)
        .join(Consultant, Consultant.id == Customer.consultant_id)
        .join(LeadStep, and_(LeadStep.lead_id == Lead.id, LeadStep.kind == "signup"))
        .where(Service.vendor_id == vendor_id, Customer.vendor_id == vendor_id, agreed)
        .where(utc_now() - SETTLED_AFTER >= _SINCE)
    )


def _comes_after(place: Row[Any]) -> ColumnElement[bool]:
    return or_(place.since < _SINCE, and_(place.since == _SINCE, Lead.id > place.Lead.id))


def _told(session: Session, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    people = {row.Lead.person_id: row.Lead.person for row in rows}
    left_alone = stopped(session, people.values())
    said = _consents(session, list(people))
    return [
        _signup(row, said[row.Lead.person_id], left_alone.get(row.Lead.person_id, frozenset()))
        for row in rows
    ]


def _consents(session: Session, person_ids: Sequence[int]) -> dict[int, Consent]:
    """The latest standing yes of each person to what stands on the sign-up page."""
    standing = (Consent.purpose == "signup", Consent.withdrawn_at.is_(None))
    of_them = select(Consent).where(Consent.person_id.in_(person_ids), *standing).order_by(Consent.id)
    return {consent.person_id: consent for consent in session.scalars(of_them)}


def _signup(row: Row[Any], consent: Consent, withheld: frozenset[str]) -> dict[str, Any]:
    lead, customer, person = row.Lead, row.Customer, row.Lead.person
    size = int(row.detail.get("size_thousandths") or 0)
    return {
        "id": lead.public_id,
        "signed_up_at": instant(row.at),
        "service": lead.service.code,
        "size": f"{size // 1000}.{size % 1000:03d}" if size else None,
        "consultant_code": row.code,
        "customer": {
            "ref": customer.ref,
            "name": person.name,
            "email": None if "email" in withheld else person.email or None,
            "phone": None if "phone" in withheld else person.phone,
            "address": person.address,
            "state": person.region,
            "verified": customer.verified_at is not None,
        },
        "consent": {
            "version": consent.text_version,
            "sha256": consent.text_sha256,
            "given_at": instant(consent.given_at),
        },
        "do_not_contact_by": sorted(withheld),
    }
