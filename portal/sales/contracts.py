"""Contracts: found by the vendor's reference, made when they are missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.kernel.errors import Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Customer, Service, TermsVersion
from portal.sales import cooling_off
from portal.sales.customers import find_or_register
from portal.sales.history import ORDER_PAID, ORDER_SIGNED
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import valid_on, without_terms
from portal.store import UnitOfWork
from portal.store.insert import insert_new
from portal.store.locks import lock_row, lock_where

OF_ORDERS = (ORDER_SIGNED, ORDER_PAID)


@dataclass(frozen=True)
class Found:
    """A locked contract with its terms; whether it was opened just now, and its customer with it, and
    whether the event told us something new of a customer or a contract that we knew.
    """

    contract: Contract
    terms: TermsVersion
    is_new: bool
    is_first: bool
    is_news: bool


def find_or_open(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Found:
    """The contract the event speaks of, with its customer; both are made when they are missing.

    Raises `NotYetKnown` where the event does not say enough for that, `Conflict` where the vendor has given
    the same reference to a contract of another customer, and for a new one of a service that is withdrawn.
    """
    customer, is_new, is_news = find_or_register(uow, vendor_id=vendor_id, event=event)
    mine = Contract.vendor_id == vendor_id, Contract.ref == event.contract_ref
    contract = lock_where(uow, Contract, *mine)
    if contract is None:
        contract, terms = _open(uow, customer, event)
        if contract is not None:
            return Found(contract, terms, is_new=True, is_first=is_new, is_news=is_news and not is_new)
        contract = lock_where(uow, Contract, *mine)
        assert contract is not None, "a contract is never deleted"
    if contract.customer_id != customer.id:
        raise Conflict(
            f"The contract {event.contract_ref} belongs to another customer.", field="contract.ref"
        )
    terms = uow.session.get_one(TermsVersion, contract.terms_version_id)
    learned = cooling_off.learn(uow, contract, event)
    return Found(contract, terms, is_new=False, is_first=False, is_news=is_news or learned)


def lock_contract(uow: UnitOfWork, contract_id: int) -> Contract:
    """A contract, fresh and locked, its customer before it. Raises `NotYours` where there is none."""
    customer_id = uow.session.scalar(select(Contract.customer_id).where(Contract.id == contract_id))
    if customer_id is not None:
        lock_row(uow, Customer, customer_id)
    return lock_row(uow, Contract, contract_id)


def _open(uow: UnitOfWork, customer: Customer, event: VendorEvent) -> tuple[Contract | None, TermsVersion]:
    """A new contract with its terms; none where somebody else opened it just now."""
    signed_on = event.signed_on or event.occurred_at.date()
    service, terms = _service_and_terms(uow, customer.vendor_id, event, signed_on)
    # An order that was paid here was taken before, whatever became of the service meanwhile.
    if service.withdrawn_at and signed_on > service.withdrawn_at.date() and event.type not in OF_ORDERS:
        raise Conflict(
            f"The service {service.code} is withdrawn; it takes no contract signed on {signed_on}.",
            field="contract.service",
        )
    draft = Contract(
        vendor_id=customer.vendor_id,
        ref=event.contract_ref,
        customer_id=customer.id,
        customer=customer,
        service_id=service.id,
        service=service,
        terms_version_id=terms.id,
        size_thousandths=event.size_thousandths,
        state="registered",
        signed_on=signed_on,
    )
    cooling_off.learn(uow, draft, event)
    return insert_new(uow.session, draft, unique=("vendor_id", "ref")), terms


def _service_and_terms(
    uow: UnitOfWork, vendor_id: int, event: VendorEvent, signed_on: date
) -> tuple[Service, TermsVersion]:
    if not event.service_code:
        raise NotYetKnown(
            f"The contract {event.contract_ref} is not known yet, and the event names no service.",
            field="contract.service",
        )
    named = Service.vendor_id == vendor_id, Service.code == event.service_code
    both = select(Service, TermsVersion).outerjoin(TermsVersion, valid_on(signed_on)).where(*named)
    row = uow.session.execute(both.options(joinedload(Service.vendor))).one_or_none()
    if row is None:
        raise NotYetKnown(f"There is no service {event.service_code}.", field="contract.service")
    if row.TermsVersion is None:
        raise without_terms(row.Service)
    return row.Service, row.TermsVersion
