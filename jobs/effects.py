"""What each kind of message from outside does. Every effect may be repeated and comes out the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from portal.commissions.projection import leg_volumes
from portal.gateways import stripe, vendor_events
from portal.gateways.stripe import StripeEvent
from portal.kernel.money import Cents
from portal.members import service as members
from portal.members.payments import PaymentNotice, record_renewal
from portal.models import Inbox
from portal.sales import service as sales
from portal.sales.refusals import NothingToDo
from portal.store import UnitOfWork

Effect: TypeAlias = Callable[[UnitOfWork, Inbox], None]


def effect_of(row: Inbox) -> Effect:
    """What to do about a message."""
    return _stripe_event if row.vendor_id is None else _vendor_event


def _vendor_event(uow: UnitOfWork, row: Inbox) -> None:
    assert row.vendor_id is not None, "a vendor's message names its vendor"
    event = vendor_events.parse(row.body, now=uow.clock())
    VENDOR_EFFECTS[event.type](uow, vendor_id=row.vendor_id, event=event)


def _stripe_event(uow: UnitOfWork, row: Inbox) -> None:
    if row.kind not in STRIPE_EFFECTS:
        raise NothingToDo(f"We do nothing on {row.kind}.")
    STRIPE_EFFECTS[row.kind](uow, stripe.stored_event(row.body))


def _checkout_paid(uow: UnitOfWork, event: StripeEvent) -> None:
    if not event.registration_id:
        raise NothingToDo("This payment page was not opened for a registration.")
    if not event.paid:
        raise NothingToDo("The money is not there yet; another event will tell.")
    members.complete_registration(
        uow, registration_public_id=event.registration_id, payment=_notice(event), volumes=leg_volumes
    )


def _checkout_expired(uow: UnitOfWork, event: StripeEvent) -> None:
    if not event.registration_id:
        raise NothingToDo("This payment page was not opened for a registration.")
    members.expire_registration(uow, registration_public_id=event.registration_id)


def _invoice_paid(uow: UnitOfWork, event: StripeEvent) -> None:
    if event.billing_reason != "subscription_cycle":
        raise NothingToDo("Not a renewal; the payment page tells of the first payment.")
    record_renewal(uow, notice=_notice(event), registration_public_id=event.registration_id)


def _notice(event: StripeEvent) -> PaymentNotice:
    return PaymentNotice(
        provider_ref=event.payment_ref or event.object_id,
        amount_cents=Cents(event.amount),
        received_at=event.created,
        currency=event.currency,
        subscription_ref=event.subscription_ref,
    )


VENDOR_EFFECTS: dict[str, Callable[..., object]] = {
    "customer.registered": sales.register_customer,
    "service.signed": sales.sign_contract,
    "service.installed": sales.sign_contract,
    "service.activated": sales.activate_contract,
    "service.cancelled": sales.cancel_contract,
}
STRIPE_EFFECTS: dict[str, Callable[[UnitOfWork, StripeEvent], None]] = {
    "checkout.session.completed": _checkout_paid,
    "checkout.session.async_payment_succeeded": _checkout_paid,
    "checkout.session.expired": _checkout_expired,
    "invoice.paid": _invoice_paid,
}
