"""Contracts of orders that were paid here: signed at the payment, they count as far as it stays."""

from __future__ import annotations

from datetime import datetime

from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, Order
from portal.sales.contracts import find_or_open, lock_contract
from portal.sales.facts import keep_fact
from portal.sales.settling import settle
from portal.store import UnitOfWork


def sign_order(uow: UnitOfWork, *, order: Order) -> Contract:
    """Register the customer and sign the contract of a paid order, both under the order's public id.

    What the terms pay at the milestone `paid` becomes a sale; the rest waits for the vendor's events. Again
    changes nothing. Raises `NotYetKnown` where no cycle is open.
    """
    at = order.paid_at or uow.clock()
    events = [_event(uow, order, at=at, milestone=milestone) for milestone in ("signed", "paid")]
    contract = find_or_open(uow, vendor_id=order.service.vendor_id, event=events[0]).contract
    order.contract_id = contract.id
    uow.session.flush()
    kept = [keep_fact(uow, contract, event) for event in events]
    if any(kept):
        settle(uow, contract, at=at)
    return contract


def follow_order(uow: UnitOfWork, *, order: Order, at: datetime) -> None:
    """Let the contract of an order count as far as the order stands and its price did not go back.

    Where its money went back, it is cancelled at that moment and its volume reversed in the open cycle. Where
    it stands again, unless its vendor cancelled it too, what was taken back is sold once more, and what the
    vendor told meanwhile takes effect. Raises `NotYetKnown` where no cycle is open.
    """
    if order.contract_id is not None:
        settle(uow, lock_contract(uow, order.contract_id), at=at)


def _event(uow: UnitOfWork, order: Order, *, at: datetime, milestone: str) -> VendorEvent:
    """What the vendor would have told us of this order."""
    return VendorEvent(
        type=f"order.{milestone}",
        occurred_at=at,
        consultant_code=uow.session.get_one(Consultant, order.consultant_id).code,
        customer_ref=order.public_id,
        customer_name=order.person.name,
        customer_email=order.person.email,
        contract_ref=order.public_id,
        service_code=order.service.code,
        size_thousandths=order.size_thousandths,
        signed_on=(order.paid_at or at).date(),
        milestone=milestone,
    )
