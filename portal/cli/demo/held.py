"""Sales of Maya's that wait: her licence for one state is missing, and a field of another."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA
from portal.cli.demo.rows import Known
from portal.cli.demo.weeks import quietly
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Person
from portal.sales.service import take_event
from portal.store import UnitOfWork
from portal.vendors.service import Offer, Terms, add_service, add_terms

CODE = "community-solar"
BUYERS = (
    ("Lena Ortiz", "CA", "303-555-0117"),
    ("Sam Whitfield", "CO", ""),
    ("Ida Novak", "CO", "303-555-0142"),
)


def hold_some(calendar: Calendar, *, known: Known) -> None:
    """A service with rules, and three activations: two of them are held, one is sold."""
    at = calendar.now - timedelta(hours=3)
    vendor_id = known.offers[0].vendor_id

    def offer(uow: UnitOfWork) -> None:
        made = add_service(
            uow, vendor_id=vendor_id, offer=Offer(CODE, "Community solar", "panel"), actor_id=None
        )
        terms = Terms(
            calendar.start.date(),
            volume_per_unit=2_00,
            revenue_per_unit_cents=2_00,
            licence_kind="solar",
            licence_states=["CA"],
            required_fields=["customer.phone"],
        )
        add_terms(uow, service_id=made.id, terms=terms, actor_id=None)

    def activate(uow: UnitOfWork) -> None:
        code = uow.session.get_one(Consultant, known.sellers[MAYA]).code
        for number, (name, state, phone) in enumerate(BUYERS):
            event = VendorEvent(
                type="service.activated",
                occurred_at=at,
                consultant_code=code,
                customer_ref=f"C-HELD-{number}",
                customer_name=name,
                customer_email=known.invented.email(name),
                customer_phone=phone,
                customer_state=state,
                contract_ref=f"K-HELD-{number}",
                service_code=CODE,
                size_thousandths=4_000,
                signed_on=at.date(),
                milestone="activated",
            )
            take_event(uow, vendor_id=vendor_id, event=event)
            # The same id for the same demo.
            person = uow.session.scalars(select(Person).order_by(Person.id.desc()).limit(1)).one()
            person.public_id = Invented(Random(f"{name} {number}")).public_id()

    quietly(offer, at=at)
    quietly(activate, at=at)
