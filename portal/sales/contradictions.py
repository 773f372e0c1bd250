"""What an event tells otherwise than it is kept: what was told first stays, and whoever told it hears so."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, Customer
from portal.store import UnitOfWork

# A vendor that says 65 may mean 65 or over.
AGE_OR_OVER = 65


def contradictions(
    uow: UnitOfWork, event: VendorEvent, *, customer: Customer, contract: Contract | None = None
) -> str:
    """Which fields of an event were not taken and what stands instead; empty where nothing contradicts."""
    found = list(_of_customer(uow, event, customer))
    if contract is not None:
        found += _of_contract(event, contract)
    return "; ".join(f"{field} {told} was not taken, {stands} stands" for field, told, stands in found)


def _of_customer(uow: UnitOfWork, event: VendorEvent, customer: Customer) -> Iterator[tuple[str, str, str]]:
    told = event.consultant_code.upper()
    if not told:
        return
    other = select(Consultant.code).where(Consultant.id == customer.consultant_id, Consultant.code != told)
    stands = uow.session.scalar(other)
    if stands is not None:
        yield "consultant_code", told, stands


def _of_contract(event: VendorEvent, contract: Contract) -> Iterator[tuple[str, str, str]]:
    if event.service_code and event.service_code != contract.service.code:
        yield "contract.service", event.service_code, contract.service.code
    if event.customer_state and contract.sold_in and event.customer_state != contract.sold_in:
        yield "customer.state", event.customer_state, contract.sold_in
    told, stands = event.customer_age, contract.buyer_age
    if told is None or stands is None or told == stands:
        return
    if AGE_OR_OVER not in (told, stands) or min(told, stands) < AGE_OR_OVER:
        yield "customer.age", str(told), str(stands)
