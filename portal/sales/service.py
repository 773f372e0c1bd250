"""What a vendor's event does. In whatever order and how often events come, the books end the same."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.facts import SaleRecorded
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Customer, Sale, TermsVersion
from portal.sales.contracts import advance, find_or_open
from portal.sales.customers import find_or_register
from portal.sales.refusals import NothingToDo, NotYetKnown
from portal.sales.sold import keep_paid_share, left_of, new_sale, sales_of, take_back
from portal.sales.worth import is_paid_by_size, worth
from portal.store import UnitOfWork

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
        _settle(uow, contract)
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
    _settle(uow, contract)
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
    sale = new_sale(uow, contract, value)
    sale.milestone, sale.occurred_at, sale.cause = event.milestone, event.occurred_at, cause
    uow.session.add(sale)
    uow.session.flush()
    uow.publish(SaleRecorded(sale_id=sale.id), key=f"sale-{sale.id}-recorded")
    return sale


def _settle(uow: UnitOfWork, contract: Contract) -> None:
    """What was recorded counts as far as the contract stands and its price did not go back."""
    _settle_cancellation(uow, contract)
    keep_paid_share(uow, contract)


def _settle_cancellation(uow: UnitOfWork, contract: Contract) -> list[Sale]:
    """Take back whatever of a cancelled contract's sales was not taken back yet."""
    if contract.cancelled_at is None:
        return []
    reversals = [
        take_back(uow, contract, sale, value=left_of(uow, sale), cause=f"sale-{sale.id}-cancelled")
        for sale in sales_of(uow, contract)
    ]
    return [reversal for reversal in reversals if reversal is not None]
