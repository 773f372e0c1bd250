"""Contracts: found by the vendor's reference, made when they are missing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from portal.kernel.errors import Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Customer, Service, TermsVersion
from portal.sales import cooling_off
from portal.sales.customers import find_or_register
from portal.sales.history import ORDER_PAID, ORDER_SIGNED
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import terms_on
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where

OF_ORDERS = (ORDER_SIGNED, ORDER_PAID)


@dataclass(frozen=True)
class Found:
    """A locked contract with its terms; whether it was opened just now, and whether we know more of its
    customer.
    """

    contract: Contract
    terms: TermsVersion
    is_new: bool
    is_news: bool


def find_or_open(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Found:
    """The contract the event speaks of, with its customer; both are made when they are missing.

    Raises `NotYetKnown` where the event does not say enough for that, `Conflict` where the vendor has given
    the same reference to a contract of another customer, and for a new one of a service that is withdrawn.
    """
    customer, is_news = find_or_register(uow, vendor_id=vendor_id, event=event)
    contract = _locked(uow, vendor_id, event.contract_ref)
    is_new, terms = False, None
    if contract is None:
        is_new, terms = _open(uow, customer, event)
        contract = _locked(uow, vendor_id, event.contract_ref)
        assert contract is not None, "a contract is never deleted"
    if contract.customer_id != customer.id:
        raise Conflict(
            f"The contract {event.contract_ref} belongs to another customer.", field="contract.ref"
        )
    if terms is None or terms.id != contract.terms_version_id:
        terms = uow.session.get_one(TermsVersion, contract.terms_version_id)
    learned = cooling_off.learn(uow, contract, event)
    return Found(contract, terms, is_new, is_news or learned)


def _locked(uow: UnitOfWork, vendor_id: int, ref: str) -> Contract | None:
    return lock_where(uow, Contract, Contract.vendor_id == vendor_id, Contract.ref == ref)


def _open(uow: UnitOfWork, customer: Customer, event: VendorEvent) -> tuple[bool, TermsVersion]:
    service = _service(uow, customer.vendor_id, event)
    signed_on = event.signed_on or event.occurred_at.date()
    # An order that was paid here was taken before, whatever became of the service meanwhile.
    if service.withdrawn_at and signed_on > service.withdrawn_at.date() and event.type not in OF_ORDERS:
        raise Conflict(
            f"The service {service.code} is withdrawn; it takes no contract signed on {signed_on}.",
            field="contract.service",
        )
    terms = terms_on(uow.session, service=service, day=signed_on)
    is_new = insert_or_skip(
        uow.session,
        Contract,
        unique=("vendor_id", "ref"),
        vendor_id=customer.vendor_id,
        ref=event.contract_ref,
        customer_id=customer.id,
        service_id=service.id,
        terms_version_id=terms.id,
        size_thousandths=event.size_thousandths,
        state="registered",
        signed_on=signed_on,
    )
    return is_new, terms


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
