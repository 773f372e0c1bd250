"""Whether what somebody paid for their pack still stands."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Payment, Registration, Subscription
from portal.payments.reversals import GONE


def is_paid_for(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Whether the pack of a registration is still paid for at a moment.

    It is not when its fee went back whole, when the newest monthly fee did, or when its subscription has
    ended and the paid time is over. An open dispute and a late monthly fee leave it as it is.
    """
    wanted = select(Payment).where(Payment.registration_id == registration.id)
    payments = session.scalars(wanted.order_by(Payment.received_at, Payment.id)).all()
    fees = [payment for payment in payments if payment.kind == "pack"]
    months = [payment for payment in payments if payment.kind == "renewal"]
    if fees and all(payment.state in GONE for payment in fees):
        return False
    if months and months[-1].state in GONE:
        return False
    return not _is_over(session, registration, now)


def _is_over(session: Session, registration: Registration, now: datetime) -> bool:
    found = session.scalars(select(Subscription).where(Subscription.registration_id == registration.id)).all()
    ended = [held for held in found if held.state == "ended" and held.ends_at and held.ends_at <= now]
    return bool(found) and len(ended) == len(found)
