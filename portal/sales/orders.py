"""Contracts of orders that were paid here: signed at the payment, cancelled when the money goes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select

from portal.kernel.facts import SaleRecorded
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, Cycle, Inbox, Order, Sale
from portal.sales.refusals import NotYetKnown
from portal.sales.service import cancel_contract, sign_contract
from portal.store import UnitOfWork
from portal.store.inbox import try_waiting, vendor_source
from portal.store.locks import lock_row, share_cycle_gate


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


def reinstate_order(uow: UnitOfWork, *, order: Order) -> None:
    """Let a cancelled contract stand again, unless its vendor cancelled it too.

    What was taken back is sold once more, in the cycle that is open now; what the vendor told meanwhile and
    was ignored takes effect now.
    """
    if order.contract_id is None:
        return
    contract = lock_row(uow, Contract, order.contract_id)
    if contract.state != "cancelled" or _cancelled_by_vendor(uow, contract):
        return
    contract.state = "active" if contract.activated_at else "signed"
    contract.cancelled_at = None
    for sale in _taken_back(uow, contract):
        _sell_again(uow, contract, sale)
    uow.session.flush()
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


def _taken_back(uow: UnitOfWork, contract: Contract) -> list[Sale]:
    """The last sale of each milestone, all of them reversed by the cancellation."""
    newest = (
        select(func.max(Sale.id))
        .where(Sale.contract_id == contract.id, Sale.reverses_id.is_(None))
        .group_by(Sale.milestone)
    )
    return list(uow.session.scalars(select(Sale).where(Sale.id.in_(newest)).order_by(Sale.id)).unique())


def _sell_again(uow: UnitOfWork, contract: Contract, sale: Sale) -> None:
    share_cycle_gate(uow)
    cycle_id = uow.session.scalar(select(Cycle.id).where(Cycle.state == "open"))
    if cycle_id is None:
        raise NotYetKnown("No cycle is open.")
    again = Sale(
        public_id=new_id(),
        cycle_id=cycle_id,
        consultant_id=sale.consultant_id,
        contract_id=contract.id,
        milestone=sale.milestone,
        volume=sale.volume,
        revenue_cents=sale.revenue_cents,
        occurred_at=uow.clock(),
        recorded_at=uow.clock(),
        cause=f"sale-{sale.id}-again",
    )
    uow.session.add(again)
    uow.session.flush()
    uow.publish(SaleRecorded(sale_id=again.id), key=f"sale-{again.id}-recorded")
