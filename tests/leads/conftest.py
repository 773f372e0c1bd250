"""Leads at hand: a vendor with a roof that needs a licence in California, and somebody who asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from portal.kernel.ids import new_id
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import Consultant, Lead, LeadOffer, Licence, Pack, TermsVersion
from portal.store.people import Contact
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor


@dataclass(frozen=True)
class Roof:
    """The vendor and its service; sold in California (with a licence) and Colorado (without)."""

    vendor_id: int
    service_id: int


@pytest.fixture
def roof(do, cast) -> Roof:
    def write(uow):
        for pack in uow.session.query(Pack):
            pack.features = {"lead_desk": pack.code == "plus", "vendors": "all"}
        vendor = add_vendor(uow, name="Vera Solar", core=True, actor_id=None)
        service = add_service(
            uow, vendor_id=vendor.id, offer=Offer("roof", "Solar roof", "kW"), actor_id=None
        )
        made = add_terms(
            uow,
            service_id=service.id,
            terms=Terms(valid_from=date(2026, 1, 1), volume_per_unit=10_00, revenue_per_unit_cents=50_00),
            actor_id=None,
        )
        terms = uow.session.get_one(TermsVersion, made.id)
        terms.states, terms.licence_kind, terms.licence_states = ["CA", "CO"], "solar", ["CA"]
        return Roof(vendor.id, service.id)

    return do(write)


def lead_of(uow, roof, *, number=1, region="CO", consultant=None, **more):
    """A lead that came through a form; everybody has another number."""
    contact = Contact(f"Dana {number}", f"dana{number}@example.com", f"303-555-{number:04d}", "", region)
    enquiry = Enquiry(contact, "form", roof.service_id, consultant, **more)
    return take_lead(uow, enquiry=enquiry).lead.id


def license(uow, consultant_id, *, region="CA", state="verified", until=30):
    """A solar licence of a consultant."""
    today = uow.clock().date()
    uow.session.add(
        Licence(
            public_id=new_id(),
            consultant_id=consultant_id,
            kind="solar",
            region=region,
            number="L-1",
            valid_from=today - timedelta(days=30),
            expires_on=today + timedelta(days=until),
            state=state,
            submitted_at=uow.clock(),
        )
    )
    uow.session.flush()


def only_the_cast(uow, *names):
    """Let everybody but those be suspended, so that the order of offers is easy to follow."""
    for consultant in uow.session.query(Consultant):
        consultant.status = "active" if consultant.person.name in names else "suspended"
    uow.session.flush()


def offers(uow, lead_id):
    """The offers of a lead as (consultant, state), in their order."""
    rows = uow.session.query(LeadOffer).filter_by(lead_id=lead_id).order_by(LeadOffer.rank)
    return [(row.consultant_id, row.state) for row in rows]


def consultant_of(uow, lead_id):
    return uow.session.get_one(Lead, lead_id).consultant_id
