"""What goes back of a payment: refunds and disputes, each booked once for each of its transitions.

Whatever order their events come in, the last word counts: a refund is open, done, failed; a dispute open,
lost, won. A step that was skipped is booked too, so that the books end the same in every order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.kernel.errors import Conflict
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import DISPUTE_LOSSES, REFUNDS, STRIPE_BALANCE, AccountKey
from portal.models import Payment, PaymentReversal
from portal.payments.recording import locked_by_intent
from portal.store import UnitOfWork

ORDER = {"refund": ("open", "done", "failed"), "dispute": ("open", "lost", "won")}
GONE = ("refunded", "lost")
STANDING = ("paid", "partly_refunded")
_UNDONE = ("failed", "won")


@dataclass(frozen=True)
class ReversalNotice:
    """What the provider says of a refund or a dispute: the intent it belongs to, its state, its amount.

    `happened_at` is when it was made, `at` when this was said of it.
    """

    provider_ref: str
    kind: str
    intent_ref: str
    amount_cents: int
    currency: str
    state: str
    happened_at: datetime
    at: datetime
    reason: str = ""


def record_reversal(uow: UnitOfWork, *, notice: ReversalNotice) -> Payment:
    """Keep and book what is new in the notice; gives the payment, whose state follows from all of them.

    Raises `NotYetKnown` for a payment that is not here, `Conflict` where it cannot be true.
    """
    payment = locked_by_intent(uow, notice.intent_ref)
    if notice.currency.upper() != payment.currency:
        raise Conflict("It is in another currency than the payment.")
    reversal = _known(uow, notice.provider_ref) or _new(uow, payment, notice)
    steps = ORDER[notice.kind]
    if steps.index(notice.state) > steps.index(reversal.state):
        reversal.state = notice.state
    reversal.reason = reversal.reason or notice.reason[:200] or None
    reversal.changed_at = max(reversal.changed_at, notice.at)
    reversal.fee_due_at = uow.clock()
    uow.session.flush()
    _book(uow, payment, reversal)
    _settle(uow, payment)
    return payment


def reversals_of(uow: UnitOfWork, payment_id: int) -> list[PaymentReversal]:
    """All refunds and disputes of a payment, oldest first."""
    wanted = select(PaymentReversal).where(PaymentReversal.payment_id == payment_id)
    return list(uow.session.scalars(wanted.order_by(PaymentReversal.happened_at, PaymentReversal.id)))


def _known(uow: UnitOfWork, provider_ref: str) -> PaymentReversal | None:
    return uow.session.scalar(select(PaymentReversal).where(PaymentReversal.provider_ref == provider_ref))


def _new(uow: UnitOfWork, payment: Payment, notice: ReversalNotice) -> PaymentReversal:
    reversal = PaymentReversal(
        payment_id=payment.id,
        provider_ref=notice.provider_ref,
        kind=notice.kind,
        state=notice.state,
        amount_cents=notice.amount_cents,
        happened_at=notice.happened_at,
        changed_at=notice.at,
    )
    uow.session.add(reversal)
    uow.session.flush()
    return reversal


def _book(uow: UnitOfWork, payment: Payment, reversal: PaymentReversal) -> None:
    """Money leaves when a refund is made or a payment disputed, and comes back when that fails or is won."""
    cost, gone, back = _words(reversal)
    move = book.Move(debit=cost, credit=STRIPE_BALANCE, amount=Cents(reversal.amount_cents))
    cause = ("payment", payment.id)
    ref, undone = reversal.provider_ref, reversal.state in _UNDONE
    first = book.post(uow, book.Draft(key=key_of(reversal), kind=gone, moves=[move], cause=cause))
    if not undone:
        return
    opposite = book.Move(debit=STRIPE_BALANCE, credit=cost, amount=move.amount)
    key = f"stripe:{ref}:{'failed' if reversal.kind == 'refund' else 'reinstated'}"
    book.post(uow, book.Draft(key=key, kind=back, moves=[opposite], cause=cause, reverses=first.id))


def key_of(reversal: PaymentReversal) -> str:
    """The key of the entry by which the money left."""
    return f"stripe:{reversal.provider_ref}:{'refund' if reversal.kind == 'refund' else 'withdrawn'}"


def _words(reversal: PaymentReversal) -> tuple[AccountKey, str, str]:
    if reversal.kind == "refund":
        return REFUNDS, "refund", "refund failed"
    return DISPUTE_LOSSES, "dispute", "dispute won"


def _settle(uow: UnitOfWork, payment: Payment) -> None:
    """The state of a payment follows from its refunds and disputes, in whatever order they were told."""
    reversals = reversals_of(uow, payment.id)
    refunded = sum(r.amount_cents for r in reversals if r.kind == "refund" and r.state != "failed")
    lost = sum(r.amount_cents for r in reversals if r.state == "lost")
    if refunded > payment.amount_cents:
        raise Conflict("More went back than was paid.")
    payment.refunded_cents = refunded
    if any(r.kind == "dispute" and r.state == "open" for r in reversals):
        payment.state = "disputed"
    elif refunded + lost >= payment.amount_cents:
        payment.state = "lost" if lost else "refunded"
    else:
        payment.state = "partly_refunded" if refunded + lost else "paid"
    uow.session.flush()
