"""Payments: each one of the provider is recorded once and booked once. A fee is never a sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from portal.kernel.errors import BadInput, NotYetKnown
from portal.kernel.facts import PaymentReceived
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, ORDER_REVENUE, REVENUE, STRIPE_BALANCE
from portal.models import Order, Payment, Registration, Subscription
from portal.store import UnitOfWork
from portal.store.locks import lock_where

ENTRY_KINDS = {"pack": "registration fee", "renewal": "renewal fee", "order": "order paid"}


@dataclass(frozen=True)
class PaymentNotice:
    """What the provider says was paid: its reference (unique for a payment), cents, currency (`usd`).

    `intent_ref` is what refunds and disputes will name, empty where another event tells it.
    """

    provider_ref: str
    amount_cents: int
    received_at: datetime
    currency: str = CURRENCY
    subscription_ref: str = ""
    intent_ref: str = ""


def record_payment(
    uow: UnitOfWork, *, registration: Registration, notice: PaymentNotice, kind: str = "pack"
) -> Payment | None:
    """Record and book a fee, once for its reference; a payment of nothing is none.

    Raises `BadInput` for a currency that the books do not keep.
    """
    return _record(uow, Payment(kind=kind, registration_id=registration.id), notice)


def record_order_payment(uow: UnitOfWork, *, order: Order, notice: PaymentNotice) -> Payment | None:
    """Record and book what was paid for an order, as `record_payment` does."""
    return _record(uow, Payment(kind="order", order_id=order.id), notice)


def record_renewal(
    uow: UnitOfWork, *, notice: PaymentNotice, registration_public_id: str = ""
) -> Payment | None:
    """Record a monthly fee, found by the registration it names or by its subscription; safe to repeat.

    Raises `NotYetKnown` where neither is known.
    """
    registration = registration_of(uow, registration_public_id, notice.subscription_ref)
    return record_payment(uow, registration=registration, notice=notice, kind="renewal")


def note_intent(uow: UnitOfWork, *, provider_ref: str, intent_ref: str) -> Payment:
    """Note which payment intent paid an invoice. Raises `NotYetKnown` for a payment that is not here."""
    payment = lock_where(uow, Payment, Payment.provider_ref == provider_ref)
    if payment is None:
        raise NotYetKnown("This payment is not known yet.")
    payment.charge_ref = payment.charge_ref or intent_ref or None
    uow.session.flush()
    return payment


def locked_by_intent(uow: UnitOfWork, intent_ref: str) -> Payment:
    """The payment that a refund or dispute names, locked. Raises `NotYetKnown`."""
    named = or_(Payment.provider_ref == intent_ref, Payment.charge_ref == intent_ref)
    payment = lock_where(uow, Payment, named) if intent_ref else None
    if payment is None:
        raise NotYetKnown("The payment that this speaks of is not known yet.")
    return payment


def registration_of(uow: UnitOfWork, public_id: str, subscription_ref: str) -> Registration:
    """The registration of this public id, or that of a subscription. Raises `NotYetKnown`."""
    found: Registration | None = None
    if public_id:
        found = uow.session.scalar(select(Registration).where(Registration.public_id == public_id))
    elif subscription_ref:
        paid_by = Payment.subscription_ref == subscription_ref
        first = uow.session.scalar(select(Payment).where(paid_by).order_by(Payment.id).limit(1))
        held = Subscription.provider_ref == subscription_ref
        known = uow.session.scalar(select(Subscription).where(held))
        found = known.registration if known else first.registration if first else None
    if found is None:
        raise NotYetKnown("No registration belongs to this payment.")
    return found


def _record(uow: UnitOfWork, payment: Payment, notice: PaymentNotice) -> Payment | None:
    """The payment of this notice, which may be here already, else this new one."""
    if notice.currency.upper() != CURRENCY:
        raise BadInput(f"The books keep {CURRENCY} only.")
    known = lock_where(uow, Payment, Payment.provider_ref == notice.provider_ref)
    if known is not None:
        known.subscription_ref = known.subscription_ref or notice.subscription_ref or None
        known.charge_ref = known.charge_ref or notice.intent_ref or None
        return known
    if notice.amount_cents == 0:
        return None
    payment.public_id, payment.provider_ref = new_id(), notice.provider_ref
    payment.charge_ref = notice.intent_ref or None
    payment.subscription_ref = notice.subscription_ref or None
    payment.amount_cents, payment.currency = notice.amount_cents, CURRENCY
    payment.state, payment.refunded_cents = "paid", 0
    payment.received_at, payment.fee_due_at = notice.received_at, uow.clock()
    uow.session.add(payment)
    uow.session.flush()
    _book(uow, payment)
    uow.publish(PaymentReceived(payment_id=payment.id))
    return payment


def _book(uow: UnitOfWork, payment: Payment) -> None:
    earned = ORDER_REVENUE if payment.kind == "order" else REVENUE
    move = book.Move(debit=STRIPE_BALANCE, credit=earned, amount=Cents(payment.amount_cents))
    draft = book.Draft(
        key=f"stripe:{payment.provider_ref}:paid",
        kind=ENTRY_KINDS[payment.kind],
        moves=[move],
        cause=("payment", payment.id),
    )
    book.post(uow, draft)
