"""What each kind of message from outside does. Every effect may be repeated and comes out the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from jobs import money_in
from jobs.outcomes import outcome
from jobs.sending_effects import PAYOUT_EVENTS, payout_event
from portal.gateways import stripe_events, vendor_events
from portal.gateways.stripe_events import StripeEvent
from portal.kernel.errors import NothingToDo
from portal.kernel.vendor_events import WITHDRAWN, VendorEvent
from portal.models import Inbox
from portal.sales import service as sales
from portal.sales import withdrawing
from portal.sales.contradictions import contradictions
from portal.store import UnitOfWork

# What an effect gives back are words for whoever sent the message.
Effect: TypeAlias = Callable[[UnitOfWork, Inbox], str | None]
OF_CONNECTED_ACCOUNTS = PAYOUT_EVENTS - {"transfer.reversed"}


def effect_of(row: Inbox) -> Effect:
    """What to do about a message."""
    if row.vendor_id is not None:
        return _withdraw if row.kind == WITHDRAWN else _vendor_event
    if row.account and row.kind not in OF_CONNECTED_ACCOUNTS:
        return _not_ours
    return payout_event if row.kind in PAYOUT_EVENTS else _stripe_event


def _not_ours(_uow: UnitOfWork, row: Inbox) -> None:
    """What is paid to or taken from somebody else's account is none of our money, whatever it names."""
    raise NothingToDo(f"It happened in the account {row.account}, not in ours.")


def _vendor_event(uow: UnitOfWork, row: Inbox) -> str:
    assert row.vendor_id is not None, "a vendor's message names its vendor"
    event = vendor_events.parse(row.body, now=uow.clock())
    return VENDOR_EFFECTS[event.type](uow, row, event)


def _register_customer(uow: UnitOfWork, row: Inbox, event: VendorEvent) -> str:
    customer = sales.register_customer(uow, vendor_id=row.vendor_id or 0, event=event)
    otherwise = contradictions(uow, event, customer=customer)
    return f"{otherwise + '. ' if otherwise else ''}registered: {event.customer_ref}"


def _take_event(uow: UnitOfWork, row: Inbox, event: VendorEvent) -> str:
    settled = sales.take_event(uow, vendor_id=row.vendor_id or 0, event=event, inbox_id=row.id)
    return outcome(settled, of=event.milestone)


def _withdraw(uow: UnitOfWork, row: Inbox) -> str:
    assert row.found_by == "statement", "no door takes such a message"
    settled = withdrawing.withdraw(uow, vendor_id=row.vendor_id or 0, body=row.body, inbox_id=row.id)
    return outcome(settled)


def _stripe_event(uow: UnitOfWork, row: Inbox) -> None:
    if row.kind not in STRIPE_EFFECTS:
        raise NothingToDo(f"We do nothing on {row.kind}.")
    STRIPE_EFFECTS[row.kind](uow, stripe_events.stored_event(row.body))


VENDOR_EFFECTS: dict[str, Callable[[UnitOfWork, Inbox, VendorEvent], str]] = {
    "customer.registered": _register_customer,
    "service.signed": _take_event,
    "service.changed": _take_event,
    "service.installed": _take_event,
    "service.activated": _take_event,
    "service.renewed": _take_event,
    "service.suspended": _take_event,
    "service.cancelled": _take_event,
    "service.refunded": _take_event,
}
STRIPE_EFFECTS: dict[str, Callable[[UnitOfWork, StripeEvent], None]] = {
    "checkout.session.completed": money_in.checkout_paid,
    "checkout.session.async_payment_succeeded": money_in.checkout_paid,
    "checkout.session.async_payment_failed": money_in.checkout_closed,
    "checkout.session.expired": money_in.checkout_closed,
    "invoice.paid": money_in.invoice_paid,
    "invoice.payment_failed": money_in.invoice_failed,
    "invoice_payment.paid": money_in.invoice_linked,
    "charge.succeeded": money_in.charged,
    "charge.refunded": money_in.charge_refunded,
    "refund.created": money_in.refunded,
    "refund.updated": money_in.refunded,
    "refund.failed": money_in.refunded,
    "charge.dispute.created": money_in.disputed,
    "charge.dispute.updated": money_in.disputed,
    "charge.dispute.closed": money_in.disputed,
    "charge.dispute.funds_withdrawn": money_in.disputed,
    "charge.dispute.funds_reinstated": money_in.disputed,
    "customer.subscription.created": money_in.subscription_changed,
    "customer.subscription.updated": money_in.subscription_changed,
    "customer.subscription.deleted": money_in.subscription_changed,
}
