"""Fees for packs: each payment of the provider is recorded once and booked once. A fee is never a sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.kernel.errors import BadInput, NotYours
from portal.kernel.facts import PaymentReceived
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, REVENUE, STRIPE_BALANCE
from portal.models import Payment, Registration
from portal.store import UnitOfWork


@dataclass(frozen=True)
class PaymentNotice:
    """What the provider says was paid: its reference (unique for a payment), cents, currency (`usd`)."""

    provider_ref: str
    amount_cents: int
    received_at: datetime
    currency: str = CURRENCY
    subscription_ref: str = ""


def record_payment(uow: UnitOfWork, *, registration: Registration, notice: PaymentNotice) -> Payment | None:
    """Record and book a payment, once for its reference; a payment of nothing is none.

    Raises `BadInput` for a currency that the books do not keep.
    """
    if notice.currency.upper() != CURRENCY:
        raise BadInput(f"The books keep {CURRENCY} only.")
    known = uow.session.scalar(select(Payment).where(Payment.provider_ref == notice.provider_ref))
    if known is not None:
        known.subscription_ref = known.subscription_ref or notice.subscription_ref or None
        return known
    if notice.amount_cents == 0:
        return None
    payment = Payment(
        public_id=new_id(),
        registration_id=registration.id,
        provider_ref=notice.provider_ref,
        subscription_ref=notice.subscription_ref or None,
        amount_cents=notice.amount_cents,
        currency=CURRENCY,
        received_at=notice.received_at,
    )
    uow.session.add(payment)
    uow.session.flush()
    _book(uow, payment)
    uow.publish(PaymentReceived(payment_id=payment.id))
    return payment


def record_renewal(
    uow: UnitOfWork, *, notice: PaymentNotice, registration_public_id: str = ""
) -> Payment | None:
    """Record a monthly fee, found by the registration it names or by its subscription; safe to repeat.

    Raises `NotYours` where neither is known (yet).
    """
    registration = _registration_of(uow, notice, registration_public_id)
    if registration is None:
        raise NotYours("No registration belongs to this payment.")
    return record_payment(uow, registration=registration, notice=notice)


def _registration_of(uow: UnitOfWork, notice: PaymentNotice, public_id: str) -> Registration | None:
    if public_id:
        return uow.session.scalar(select(Registration).where(Registration.public_id == public_id))
    if not notice.subscription_ref:
        return None
    paid_by = Payment.subscription_ref == notice.subscription_ref
    first = uow.session.scalar(select(Payment).where(paid_by).order_by(Payment.id).limit(1))
    return first.registration if first else None


def _book(uow: UnitOfWork, payment: Payment) -> None:
    move = book.Move(debit=STRIPE_BALANCE, credit=REVENUE, amount=Cents(payment.amount_cents))
    draft = book.Draft(
        key=f"stripe:{payment.provider_ref}:paid",
        kind="registration fee",
        moves=[move],
        cause=("payment", payment.id),
    )
    book.post(uow, draft)
