"""What a vendor's event does. In whatever order and how often events come, the books end the same."""

from __future__ import annotations

from portal.kernel.vendor_events import VendorEvent
from portal.models import Customer
from portal.sales.contracts import find_or_open
from portal.sales.contradictions import contradictions
from portal.sales.customers import find_or_register
from portal.sales.facts import keep_fact
from portal.sales.holds import settle_held_of
from portal.sales.refusals import NothingToDo
from portal.sales.settling import Settled, settle
from portal.store import UnitOfWork
from portal.store.inbox import try_waiting, vendor_source


def register_customer(uow: UnitOfWork, *, vendor_id: int, event: VendorEvent) -> Customer:
    """Credit a vendor's customer to the consultant who brought them.

    Raises `NotYetKnown` for a consultant we do not know, `NothingToDo` where we know all of it already.
    """
    customer, _, is_news = find_or_register(uow, vendor_id=vendor_id, event=event)
    if not is_news:
        known = f"The customer {event.customer_ref} is registered already."
        raise NothingToDo(_with(known, contradictions(uow, event, customer=customer)))
    settle_held_of(uow, customer)
    return customer


def take_event(
    uow: UnitOfWork, *, vendor_id: int, event: VendorEvent, inbox_id: int | None = None
) -> Settled:
    """Keep what a vendor said of a contract, and bring its sales in line with all that was said of it.

    Raises `NothingToDo` for what was said before, `NotYetKnown` for what needs something that is not here
    yet, `Conflict` for a reference that another customer's contract has.
    """
    found = find_or_open(uow, vendor_id=vendor_id, event=event)
    contract, had_size = found.contract, found.contract.size_thousandths > 0
    otherwise = ""
    if not found.is_first:
        otherwise = contradictions(uow, event, customer=contract.customer, contract=contract)
    fact = keep_fact(uow, contract, event, inbox_id=inbox_id)
    if fact is None and not found.is_news:
        known = f"This was said of the contract {contract.ref} before."
        raise NothingToDo(_with(known, otherwise))
    settled = settle(uow, contract, at=event.occurred_at, only=fact if found.is_new else None)
    if found.is_news:
        settle_held_of(uow, contract.customer, but=contract)
    if found.is_new or (contract.size_thousandths and not had_size):
        try_waiting(uow, source=vendor_source(vendor_id), refs=[contract.ref])
    settled.otherwise = otherwise
    return settled


def _with(sentence: str, otherwise: str) -> str:
    return f"{sentence} {otherwise}." if otherwise else sentence
