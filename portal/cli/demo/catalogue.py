"""More for the demo's catalogue: terms of every kind, a version to come, sales that share their revenue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select

from portal.cli.demo.names import Invented
from portal.cli.demo.offers import LONG_AGO, OFFERS
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Customer, Vendor
from portal.sales.service import take_event
from portal.store import UnitOfWork
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor

VOLTLANE: Final = "VoltLane"
WALL_BOX = Terms(
    LONG_AGO, kind="one_off", volume_flat=60_00, revenue_flat_cents=180_00, states=["AZ", "CA", "NV", "TX"]
)
CHARGING = Terms(
    LONG_AGO,
    kind="recurring",
    volume_flat=25_00,
    revenue_flat_cents=200_00,
    residual_volume_flat=4_00,
    residual_revenue_flat_cents=18_00,
    shares={"vendor": 6000, "company": 2900, "consultant": 800, "upline": [200, 100]},
    required_fields=["customer.state"],
    cooling_off_days=3,
)
MONITORING = Terms(
    LONG_AGO,
    kind="recurring",
    volume_flat=30_00,
    revenue_flat_cents=40_00,
    residual_volume_flat=6_00,
    residual_revenue_flat_cents=9_00,
    packs=["plus", "smart"],
    cooling_off_days=3,
)
_BOX: Final = Offer("wall-box", "Wall box", "device", "Charges a car at home, put up in a morning.")
_PLAN: Final = Offer("charging", "Charging plan", "car", "Charging at home and on the road, by the month.")
_WATCH: Final = Offer("monitoring", "Alarm monitoring", "home", "Somebody looks when the alarm goes off.")
_CUSTOMERS: Final = (("Iris Vega", "NV"), ("Owen Park", "CA"), ("June Alder", "TX"))


def fill_catalogue(uow: UnitOfWork, *, actor_id: int, maya: int, now: datetime, invented: Invented) -> None:
    """A vendor for charging, alarm monitoring, terms of solar roofs to come, and what Maya sold of it."""
    voltlane = add_vendor(uow, name=VOLTLANE, core=False, actor_id=actor_id)
    _offer(
        uow,
        voltlane.id,
        Offer("wall-box", "Wall box", "device", "Charges a car at home, put up in a morning."),
        WALL_BOX,
        actor_id=actor_id,
    )
    _offer(
        uow,
        voltlane.id,
        Offer("charging", "Charging plan", "car", "Charging at home and on the road, month by month."),
        CHARGING,
        actor_id=actor_id,
    )
    solar, safenest = (_named(uow, name) for name in ("SunPath", "SafeNest"))
    _offer(
        uow,
        safenest.id,
        Offer("monitoring", "Alarm monitoring", "home", "Somebody looks when the alarm goes off."),
        MONITORING,
        actor_id=actor_id,
    )
    add_terms(uow, service_id=solar.services[0].id, terms=_solar_to_come(now.date()), actor_id=actor_id)
    code = uow.session.get_one(Consultant, maya).code
    for number, (name, state) in enumerate(_CUSTOMERS, 1):
        at = now - timedelta(minutes=20 * number)
        email = invented.email(name)
        activated = replace(_activated(code, f"V-{number:03d}", state=state, at=at), customer_name=name)
        take_event(uow, vendor_id=voltlane.id, event=replace(activated, customer_email=email))
        _rename(uow, activated.customer_ref, invented.public_id())
    renewed = replace(activated, type="service.renewed", milestone="", period=f"{now:%Y-%m}", occurred_at=now)
    take_event(uow, vendor_id=voltlane.id, event=renewed)


def _offer(uow: UnitOfWork, vendor_id: int, offer: Offer, terms: Terms, *, actor_id: int) -> None:
    service = add_service(uow, vendor_id=vendor_id, offer=offer, actor_id=actor_id)
    add_terms(uow, service_id=service.id, terms=terms, actor_id=actor_id)


def _named(uow: UnitOfWork, name: str) -> Vendor:
    return uow.session.scalars(select(Vendor).where(Vendor.name == name)).one()


def _rename(uow: UnitOfWork, ref: str, public_id: str) -> None:
    """The same company has the same ids for the same seed."""
    customer = uow.session.scalars(select(Customer).where(Customer.ref == ref)).one()
    assert customer.person is not None, "the event named them"
    customer.person.public_id = public_id


def _solar_to_come(today: date) -> Terms:
    """From the first of the month after next: in milestones, with a licence where the law asks for one."""
    begins = (today.replace(day=1) + timedelta(days=62)).replace(day=1)
    return replace(
        OFFERS[0].terms,
        valid_from=begins,
        milestones={"installed": 6000, "activated": 4000},
        licence_kind="solar",
        licence_states=["CA", "TX"],
        required_fields=["customer.address"],
    )


def _activated(code: str, ref: str, *, state: str, at: datetime) -> VendorEvent:
    return VendorEvent(
        type="service.activated",
        occurred_at=at,
        consultant_code=code,
        customer_ref=ref,
        customer_name="",
        customer_email="",
        contract_ref=ref,
        service_code="charging",
        size_thousandths=1_000,
        signed_on=at.date(),
        milestone="activated",
        customer_state=state,
    )
