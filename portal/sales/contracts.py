"""Contracts: found by the vendor's reference, made when they are missing, moved forward only."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.errors import Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Customer, Service
from portal.sales import cooling_off
from portal.sales.customers import find_or_register
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import terms_on
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where

ORDER = ("registered", "signed", "installed", "active", "cancelled")


def find_or_open(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Contract:
    """The contract the event speaks of, locked, with its customer; both are made when they are missing.

    Raises `NotYetKnown` where the event does not say enough for that, `Conflict` where the vendor has given
    the same reference to a contract of another customer.
    """
    customer, _ = find_or_register(uow, vendor_id=vendor_id, event=event)
    contract = _locked(uow, vendor_id, event.contract_ref)
    if contract is None:
        _open(uow, customer, event)
        contract = _locked(uow, vendor_id, event.contract_ref)
        assert contract is not None, "a contract is never deleted"
    if contract.customer_id != customer.id:
        raise Conflict(
            f"The contract {event.contract_ref} belongs to another customer.", field="contract.ref"
        )
    cooling_off.learn(uow, contract, event)
    return contract


def advance(contract: Contract, *, state: str, event: VendorEvent) -> None:
    """Move a contract forward to `state`; what is already further stays where it is.

    The size of the furthest step counts: the installed system, not the one on paper.
    """
    if ORDER.index(state) <= ORDER.index(_reached(contract)):
        return
    if event.size_thousandths:
        contract.size_thousandths = event.size_thousandths
    if contract.state != "cancelled":
        contract.state = state


def _reached(contract: Contract) -> str:
    """How far a contract came, whether or not it was cancelled meanwhile."""
    if contract.activated_at is not None:
        return "active"
    return "registered" if contract.state == "cancelled" else contract.state


def _locked(uow: UnitOfWork, vendor_id: int, ref: str) -> Contract | None:
    return lock_where(uow, Contract, Contract.vendor_id == vendor_id, Contract.ref == ref)


def _open(uow: UnitOfWork, customer: Customer, event: VendorEvent) -> None:
    service = _service(uow, customer.vendor_id, event)
    signed_on = event.signed_on or event.occurred_at.date()
    insert_or_skip(
        uow.session,
        Contract,
        unique=("vendor_id", "ref"),
        vendor_id=customer.vendor_id,
        ref=event.contract_ref,
        customer_id=customer.id,
        service_id=service.id,
        terms_version_id=terms_on(uow.session, service=service, day=signed_on).id,
        size_thousandths=event.size_thousandths,
        state="registered",
        signed_on=signed_on,
    )


def _service(uow: UnitOfWork, vendor_id: int, event: VendorEvent) -> Service:
    if not event.service_code:
        raise NotYetKnown(
            f"The contract {event.contract_ref} is not known yet, and the event names no service.",
            field="contract.service",
        )
    statement = select(Service).where(Service.vendor_id == vendor_id, Service.code == event.service_code)
    found = uow.session.scalars(statement).one_or_none()
    if found is None:
        raise NotYetKnown(f"There is no service {event.service_code}.", field="contract.service")
    return found
