"""What a vendor's event does. In whatever order and how often events come, the books end the same."""

from __future__ import annotations

from sqlalchemy import func, select

from portal.kernel.facts import SaleRecorded, SaleReversed
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Customer, Cycle, Sale, TermsVersion
from portal.sales.contracts import advance, find_or_open
from portal.sales.customers import find_or_register
from portal.sales.refusals import NothingToDo, NotYetKnown
from portal.sales.worth import Worth, is_paid_by_size, worth
from portal.store import UnitOfWork
from portal.store.locks import share_cycle_gate

STATE_OF_MILESTONE = {"signed": "signed", "paid": "signed", "installed": "installed", "activated": "active"}


def register_customer(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Customer:
    """Credit a vendor's customer to the consultant who brought them.

    Raises `NotYetKnown` for a consultant we do not know, `NothingToDo` where we know all of it already.
    """
    customer, is_news = find_or_register(uow, vendor_id=vendor_id, event=event)
    if not is_news:
        raise NothingToDo(f"The customer {event.customer_ref} is registered already.")
    return customer


def sign_contract(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Contract:
    """Note that a contract was signed or installed, and what that milestone is worth by its terms.

    Raises `NotYetKnown`, and `Conflict` for a reference that another customer's contract has.
    """
    contract = find_or_open(uow, vendor_id=vendor_id, event=event)
    advance(contract, state=STATE_OF_MILESTONE[event.milestone], event=event)
    if contract.cancelled_at is None or event.occurred_at < contract.cancelled_at:
        _record(uow, contract, event)
        _settle_cancellation(uow, contract)
    uow.session.flush()
    return contract


def activate_contract(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Sale:
    """Record the sale of an activated contract in the open cycle.

    An activation from before a cancellation that came first is recorded and taken back at once. Raises
    `NothingToDo` where it comes after the cancellation or was recorded before, `NotYetKnown`, and `Conflict`.
    """
    contract = find_or_open(uow, vendor_id=vendor_id, event=event)
    if contract.cancelled_at is not None and event.occurred_at >= contract.cancelled_at:
        raise NothingToDo(f"The contract {contract.ref} was cancelled before this activation.")
    if contract.activated_at is not None:
        raise NothingToDo(f"The contract {contract.ref} is active already.")
    advance(contract, state="active", event=event)
    contract.activated_at = event.occurred_at
    sale = _record(uow, contract, event)
    if sale is None:
        raise NothingToDo(f"The terms of contract {contract.ref} pay nothing at its activation.")
    _settle_cancellation(uow, contract)
    uow.session.flush()
    return sale


def cancel_contract(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> list[Sale]:
    """Cancel a contract and take its sales back, in the cycle that is open now.

    Returns the reversals. Raises `NotYetKnown`, and `Conflict`.
    """
    contract = find_or_open(uow, vendor_id=vendor_id, event=event)
    contract.state = "cancelled"
    contract.cancelled_at = min(contract.cancelled_at or event.occurred_at, event.occurred_at)
    uow.session.flush()
    return _settle_cancellation(uow, contract)


def _record(uow: UnitOfWork, contract: Contract, event: VendorEvent) -> Sale | None:
    """The sale of one milestone, once; None where the terms pay nothing at it."""
    terms = uow.session.get_one(TermsVersion, contract.terms_version_id)
    value = worth(terms, size_thousandths=contract.size_thousandths, milestone=event.milestone)
    if value is None:
        return None
    if not contract.size_thousandths and is_paid_by_size(terms):
        raise NotYetKnown(f"The size of contract {contract.ref} is not known yet.", field="contract.size")
    cause = f"contract-{contract.id}-{event.milestone}"
    known = uow.session.scalars(select(Sale).where(Sale.cause == cause)).unique().one_or_none()
    if known is not None:
        return known
    sale = _sale(uow, contract, value)
    sale.milestone, sale.occurred_at, sale.cause = event.milestone, event.occurred_at, cause
    uow.session.add(sale)
    uow.session.flush()
    uow.publish(SaleRecorded(sale_id=sale.id), key=f"sale-{sale.id}-recorded")
    return sale


def _settle_cancellation(uow: UnitOfWork, contract: Contract) -> list[Sale]:
    """Take back whatever of a cancelled contract's sales was not taken back yet."""
    if contract.cancelled_at is None:
        return []
    statement = select(Sale).where(Sale.contract_id == contract.id, Sale.reverses_id.is_(None))
    sales = uow.session.scalars(statement.order_by(Sale.id)).unique().all()
    reversals = [_reverse(uow, contract, sale) for sale in sales]
    return [reversal for reversal in reversals if reversal is not None]


def _reverse(uow: UnitOfWork, contract: Contract, sale: Sale) -> Sale | None:
    taken = select(func.coalesce(func.sum(Sale.volume), 0), func.coalesce(func.sum(Sale.revenue_cents), 0))
    volume, revenue = uow.session.execute(taken.where(Sale.reverses_id == sale.id)).one()
    left = Worth(-(sale.volume + int(volume)), -(sale.revenue_cents + int(revenue)))  # type: ignore[arg-type]
    if not left.volume and not left.revenue:
        return None
    reversal = _sale(uow, contract, left)
    reversal.milestone, reversal.reverses_id = sale.milestone, sale.id
    reversal.occurred_at = contract.cancelled_at or uow.clock()
    reversal.cause = f"sale-{sale.id}-cancelled"
    reversal.consultant_id = sale.consultant_id
    uow.session.add(reversal)
    uow.session.flush()
    uow.publish(SaleReversed(sale_id=reversal.id), key=f"sale-{reversal.id}-reversed")
    return reversal


def _sale(uow: UnitOfWork, contract: Contract, value: Worth) -> Sale:
    """A sale in the cycle that is open at this moment; the gate keeps that cycle from ending meanwhile."""
    share_cycle_gate(uow)
    cycle = uow.session.scalars(select(Cycle).where(Cycle.state == "open")).unique().one_or_none()
    if cycle is None:
        raise NotYetKnown("No cycle is open.")
    return Sale(
        public_id=new_id(),
        cycle_id=cycle.id,
        consultant_id=contract.customer.consultant_id,
        contract_id=contract.id,
        volume=value.volume,
        revenue_cents=value.revenue,
        recorded_at=uow.clock(),
    )
