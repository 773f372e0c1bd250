"""Refunds that the company asks for: written down, sent once, settled by what the provider tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.kernel.errors import BadInput, Conflict, DomainError, NotYours
from portal.kernel.ids import new_id
from portal.models import AccountUser, Consultant, Payment, RefundRequest
from portal.store import UnitOfWork
from portal.store.locks import lock_where

LEASE = timedelta(minutes=2)
LONGEST_REASON = 200
UNDER_WAY = ("asked", "sent")


@dataclass(frozen=True)
class Sending:
    """A request that this worker may send until its lease is over. `look_up`: it may have been made."""

    request_row: int
    public_id: str
    intent_ref: str
    amount_cents: int
    key: str
    attempts: int
    look_up: bool


def ask_refund(
    uow: UnitOfWork, *, payment_public_id: str, amount_cents: int, reason: str, actor_id: int
) -> RefundRequest:
    """Ask for a refund of a part or all of what is left of a payment; a job sends it.

    Raises `NotYours`, `BadInput` for the amount or a missing reason, `Conflict` for a disputed payment, and
    `DomainError` for who paid it or sold what was paid.
    """
    payment = lock_where(uow, Payment, Payment.public_id == payment_public_id)
    if payment is None:
        raise NotYours("There is no such payment.")
    if _is_own(uow, payment, actor_id):
        raise DomainError("Somebody else has to decide on your own money.")
    if not reason.strip():
        raise BadInput("Please say why.", field="reason")
    if payment.state in ("disputed", "lost"):
        raise Conflict("The customer's bank has this payment in dispute; it cannot be refunded.")
    if not 0 < amount_cents <= refundable(uow, payment):
        raise BadInput("This is more than is left of the payment.", field="amount")
    request = RefundRequest(
        public_id=new_id(),
        payment_id=payment.id,
        amount_cents=amount_cents,
        reason=reason.strip()[:LONGEST_REASON],
        state="asked",
        generation=1,
        attempts=0,
        next_at=uow.clock(),
        asked_by=actor_id,
        asked_at=uow.clock(),
    )
    uow.session.add(request)
    uow.session.flush()
    uow.note(
        "refund asked", thing="payment", thing_id=payment.id, actor_id=actor_id, amount_cents=amount_cents
    )
    uow.published = True
    return request


def refundable(uow: UnitOfWork, payment: Payment) -> int:
    """What is left of a payment, cents, without what is asked for and not yet told."""
    waiting = select(func.coalesce(func.sum(RefundRequest.amount_cents), 0)).where(
        RefundRequest.payment_id == payment.id, RefundRequest.state.in_(UNDER_WAY)
    )
    return payment.amount_cents - payment.refunded_cents - int(uow.session.scalar(waiting) or 0)


def _is_own(uow: UnitOfWork, payment: Payment, actor_id: int) -> bool:
    """Whether the person who acts paid it, or is the consultant who registered with it or sold the order."""
    bought = payment.registration or payment.order
    assert bought is not None, "a payment is for one thing"
    seller = uow.session.get(Consultant, bought.consultant_id or 0)
    whose = {bought.person_id, seller.person_id if seller else None}
    return uow.session.get_one(AccountUser, actor_id).person_id in whose


def claim_next(uow: UnitOfWork) -> Sending | None:
    """Take the next request that is due, or whose worker died; None when there is nothing to send."""
    due = select(RefundRequest).where(RefundRequest.state == "asked", RefundRequest.next_at <= uow.clock())
    request = uow.session.scalar(due.order_by(RefundRequest.id).limit(1).with_for_update(skip_locked=True))
    if request is None:
        return None
    payment = uow.session.get_one(Payment, request.payment_id)
    request.attempts += 1
    request.next_at = uow.clock() + LEASE
    intent = payment.charge_ref or ("" if payment.subscription_ref else payment.provider_ref)
    return Sending(
        request_row=request.id,
        public_id=request.public_id,
        intent_ref=intent,
        amount_cents=request.amount_cents,
        key=request.key,
        attempts=request.attempts,
        look_up=request.attempts > 1,
    )


def mark_sent(uow: UnitOfWork, *, request_row: int, provider_ref: str) -> None:
    """The provider has it; its webhook tells what came of it."""
    request = lock_where(uow, RefundRequest, RefundRequest.id == request_row)
    assert request is not None, "a request is never deleted"
    request.provider_ref = request.provider_ref or provider_ref
    if request.state == "asked":
        request.state, request.last_error = "sent", None


def mark_refused(uow: UnitOfWork, *, request_row: int, error: str) -> None:
    """The provider will not do it."""
    request = lock_where(uow, RefundRequest, RefundRequest.id == request_row)
    if request is not None and request.state == "asked":
        request.state, request.last_error = "failed", error[:1000]


def mark_retry(
    uow: UnitOfWork, *, request_row: int, error: str, next_at: datetime, key_is_spent: bool
) -> None:
    """It is tried again, under another key where the provider keeps a failure under this one."""
    request = lock_where(uow, RefundRequest, RefundRequest.id == request_row)
    if request is not None and request.state == "asked":
        request.last_error, request.next_at = error[:1000], next_at
        request.generation += key_is_spent


def settle(uow: UnitOfWork, *, request_id: str, provider_ref: str, state: str) -> None:
    """What the provider told of a refund, noted on the request it came of, if any."""
    named = (
        RefundRequest.public_id == request_id if request_id else RefundRequest.provider_ref == provider_ref
    )
    request = lock_where(uow, RefundRequest, named)
    if request is None:
        return
    request.provider_ref = request.provider_ref or provider_ref
    request.state = {"open": "sent", "done": "done", "failed": "failed"}[state]
    request.last_error = "The bank did not take the refund." if state == "failed" else None
    uow.session.flush()
