"""What Stripe's events about fees, orders and subscriptions do, and what follows from it elsewhere.

The use cases do not know each other: here a payment becomes a consultant or a contract, and money that went
back takes back what it gave.
"""

from __future__ import annotations

from portal.commissions.projection import leg_volumes
from portal.gateways.stripe_events import StripeEvent
from portal.kernel.errors import NothingToDo
from portal.members import service as members
from portal.members.standing import settle_pack
from portal.messages.service import say_renewal_failed
from portal.models import Payment
from portal.payments import orders, recording, requests, reversals, subscriptions
from portal.payments.recording import PaymentNotice
from portal.payments.reversals import ReversalNotice
from portal.payments.subscriptions import SubscriptionNotice
from portal.sales.orders import follow_order, sign_order
from portal.store import UnitOfWork
from portal.store.inbox import STRIPE, try_waiting

REFUND_STATES = {"failed": "failed", "canceled": "failed", "succeeded": "done"}
DISPUTE_STATES = {"won": "won", "lost": "lost"}
SUBSCRIPTION_STATES = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "past_due",
    "canceled": "ended",
    "incomplete_expired": "ended",
}


def checkout_paid(uow: UnitOfWork, event: StripeEvent) -> None:
    """A payment page was paid: a consultant joins, or an order is signed."""
    _ours(event)
    if not event.paid:
        raise NothingToDo("The money is not there yet; another event will tell.")
    if event.order_id:
        orders.pay_order(uow, public_id=event.order_id, notice=_payment(event))
        _follow_order(uow, event.order_id, event)
    else:
        members.complete_registration(
            uow, registration_public_id=event.registration_id, payment=_payment(event), volumes=leg_volumes
        )
    if event.subscription_ref:
        subscriptions.note_subscription(uow, notice=_subscription(event))
    _wake(uow, event.payment_ref, event.subscription_ref)


def checkout_closed(uow: UnitOfWork, event: StripeEvent) -> None:
    """A payment page closed unpaid, or the bank did not pay."""
    _ours(event)
    if event.order_id:
        orders.expire_order(uow, public_id=event.order_id)
    else:
        members.expire_registration(uow, registration_public_id=event.registration_id)


def invoice_paid(uow: UnitOfWork, event: StripeEvent) -> None:
    """A month was paid; the first one was told by the payment page."""
    if not event.subscription_ref:
        raise NothingToDo("This invoice belongs to no subscription.")
    if event.billing_reason != "subscription_create":
        recording.record_renewal(uow, notice=_payment(event), registration_public_id=event.registration_id)
    held = subscriptions.note_subscription(uow, notice=_subscription(event, state="active"))
    settle_pack(uow, registration=held.registration)
    _wake(uow, event.payment_ref, event.subscription_ref)


def invoice_failed(uow: UnitOfWork, event: StripeEvent) -> None:
    """A month could not be taken: the pack stays for now, and its holder is told."""
    if event.billing_reason == "subscription_create" or not event.subscription_ref:
        raise NothingToDo("Not a renewal; the payment page tells of the first payment.")
    held = subscriptions.note_subscription(uow, notice=_subscription(event, state="past_due"))
    if held.state == "past_due":
        say_renewal_failed(uow, subscription=held, invoice_ref=event.payment_ref)


def invoice_linked(uow: UnitOfWork, event: StripeEvent) -> None:
    """Which payment intent paid an invoice: refunds and disputes will name that."""
    recording.note_intent(uow, provider_ref=event.payment_ref, intent_ref=event.intent_ref)
    _wake(uow, event.intent_ref)


def charged(uow: UnitOfWork, event: StripeEvent) -> None:
    """Money came in. Others tell what for; where nobody ever does, this is given up and shown to people."""
    recording.locked_by_intent(uow, event.intent_ref)
    raise NothingToDo("Another event told what it was paid for.")


def charge_refunded(_uow: UnitOfWork, _event: StripeEvent) -> None:
    """It names no refund, so that nothing could be done once for it."""
    raise NothingToDo("The refund's own event tells what went back.")


def refunded(uow: UnitOfWork, event: StripeEvent) -> None:
    """Money goes back to a customer, or did not."""
    state = REFUND_STATES.get(event.status, "open")
    payment = reversals.record_reversal(uow, notice=_reversal(event, kind="refund", state=state))
    requests.settle(uow, request_id=event.request_id, provider_ref=event.object_id, state=state)
    _follow(uow, payment, event)


def disputed(uow: UnitOfWork, event: StripeEvent) -> None:
    """A customer's bank took money back, or gave it back."""
    if event.status.startswith("warning"):
        raise NothingToDo("An inquiry; no money moved.")
    state = DISPUTE_STATES.get(event.status, "open")
    if event.type == "charge.dispute.funds_reinstated":
        state = "won"
    payment = reversals.record_reversal(uow, notice=_reversal(event, kind="dispute", state=state))
    _follow(uow, payment, event)


def subscription_changed(uow: UnitOfWork, event: StripeEvent) -> None:
    """A subscription goes on, is late, will end or has ended."""
    state = "ended" if event.type.endswith("deleted") else SUBSCRIPTION_STATES.get(event.status, "")
    held = subscriptions.note_subscription(uow, notice=_subscription(event, state=state, tells_end=True))
    settle_pack(uow, registration=held.registration)


def _follow(uow: UnitOfWork, payment: Payment, event: StripeEvent) -> None:
    """Take back what the payment gave, or give it again, as its state has it now."""
    if payment.order is not None:
        orders.settle_order(uow, order=payment.order)
        _follow_order(uow, payment.order.public_id, event)
    elif payment.registration is not None:
        settle_pack(uow, registration=payment.registration)


def _follow_order(uow: UnitOfWork, public_id: str, event: StripeEvent) -> None:
    order = orders.locked(uow, public_id)
    if order.state == "paid":
        sign_order(uow, order=order)
    follow_order(uow, order=order, at=event.created)


def _ours(event: StripeEvent) -> None:
    if not event.registration_id and not event.order_id:
        raise NothingToDo("This payment page was not opened here.")


def _wake(uow: UnitOfWork, *refs: str) -> None:
    """What came too early for this is tried now."""
    try_waiting(uow, source=STRIPE, refs=refs)


def _payment(event: StripeEvent) -> PaymentNotice:
    return PaymentNotice(
        provider_ref=event.payment_ref or event.object_id,
        amount_cents=event.amount,
        received_at=event.created,
        currency=event.currency,
        subscription_ref=event.subscription_ref,
        intent_ref=event.intent_ref,
    )


def _reversal(event: StripeEvent, *, kind: str, state: str) -> ReversalNotice:
    return ReversalNotice(
        provider_ref=event.object_id,
        kind=kind,
        intent_ref=event.intent_ref,
        amount_cents=event.amount,
        currency=event.currency,
        state=state,
        happened_at=event.object_created or event.created,
        at=event.created,
        reason=event.reason,
    )


def _subscription(event: StripeEvent, *, state: str = "", tells_end: bool = False) -> SubscriptionNotice:
    return SubscriptionNotice(
        provider_ref=event.subscription_ref,
        at=event.created,
        state=state,
        registration_id=event.registration_id,
        customer_ref=event.customer_ref,
        paid_until=event.paid_until,
        ends_at=event.ends_at,
        tells_end=tells_end,
    )
