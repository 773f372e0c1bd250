"""Contracts of orders that were paid here: signed at the payment, cancelled when the money goes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select

from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, Inbox, Order
from portal.sales.service import cancel_contract, sign_contract
from portal.sales.sold import keep_paid_share
from portal.store import UnitOfWork
from portal.store.inbox import try_waiting, vendor_source
from portal.store.locks import lock_row


def sign_order(uow: UnitOfWork, *, order: Order) -> Contract:
    """Register the customer and sign the contract of a paid order, both under the order's public id.

    What the terms pay at the milestone `paid` becomes a sale; the rest waits for the vendor's events. Again
    changes nothing. Raises `NotYetKnown` where no cycle is open.
    """
    for milestone in ("signed", "paid"):
        event = _event(uow, order, at=order.paid_at or uow.clock(), milestone=milestone)
        contract = sign_contract(uow, vendor_id=order.service.vendor_id, event=event)
    order.contract_id = contract.id
    uow.session.flush()
    return contract


def cancel_order(uow: UnitOfWork, *, order: Order, at: datetime) -> None:
    """Cancel the contract of an order whose money went back; its volume is reversed in the open cycle."""
    if order.contract_id is None or uow.session.get_one(Contract, order.contract_id).state == "cancelled":
        return
    cancel_contract(uow, vendor_id=order.service.vendor_id, event=_event(uow, order, at=at, milestone=""))


def keep_share(uow: UnitOfWork, *, order: Order) -> None:
    """Let the contract of a paid order count for what did not go back of its price. Raises `NotYetKnown`."""
    if order.contract_id is not None:
        keep_paid_share(uow, lock_row(uow, Contract, order.contract_id))


def reinstate_order(uow: UnitOfWork, *, order: Order) -> None:
    """Let a cancelled contract stand again, unless its vendor cancelled it too.

    What was taken back is sold once more, as far as its price stays paid, in the cycle that is open now; what
    the vendor told meanwhile and was ignored takes effect now.
    """
    if order.contract_id is None:
        return
    contract = lock_row(uow, Contract, order.contract_id)
    if contract.state != "cancelled" or _cancelled_by_vendor(uow, contract):
        return
    contract.state = "active" if contract.activated_at else "signed"
    contract.cancelled_at = None
    uow.session.flush()
    keep_paid_share(uow, contract)
    source = vendor_source(contract.vendor_id)
    try_waiting(uow, source=source, refs=[contract.ref], states=("ignored",))


def _event(uow: UnitOfWork, order: Order, *, at: datetime, milestone: str) -> VendorEvent:
    """What the vendor would have told us of this order."""
    return VendorEvent(
        type="service.signed" if milestone else "service.cancelled",
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


def _cancelled_by_vendor(uow: UnitOfWork, contract: Contract) -> bool:
    told = (
        Inbox.vendor_id == contract.vendor_id,
        Inbox.object_ref == contract.ref,
        Inbox.kind == "service.cancelled",
        Inbox.state == "done",
    )
    return uow.session.scalar(select(exists().where(*told))) is True
