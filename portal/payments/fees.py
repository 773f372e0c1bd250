"""What the provider keeps of payments, refunds and disputes: asked for, kept, and booked once for each move.

The provider's own line of its balance is the key, so that the same fee is never booked twice, whatever order
its events come in and however often it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select

from portal.kernel.errors import Conflict
from portal.kernel.money import Cents
from portal.kernel.provider_events import MoneyMove
from portal.ledger import book
from portal.ledger.accounts import PROVIDER_FEES, STRIPE_BALANCE
from portal.models import Payment, PaymentReversal
from portal.store import UnitOfWork
from portal.store.locks import lock_row

LEASE = timedelta(minutes=2)
SOON = timedelta(minutes=5)
BACK = ("failed", "won")
KINDS = ("payment", "refund", "dispute")
# The kinds of its entries, and with which sign each counts as a cost.
ENTRY_KINDS = {f"{kind} fee": 1 for kind in KINDS} | {f"{kind} fee returned": -1 for kind in KINDS}
Row: TypeAlias = Payment | PaymentReversal
Of = TypeVar("Of", Payment, PaymentReversal)


@dataclass(frozen=True)
class Question:
    """What the provider is asked: the moves of `ref`, which is a `payment`, a `refund` or a `dispute`."""

    kind: str
    row_id: int
    ref: str


def due(now: datetime) -> Select[int]:
    """The ids of what the provider is to be asked about."""
    payments = select(Payment.id).where(_due_payments(now))
    reversals = select(PaymentReversal.id).where(PaymentReversal.fee_due_at <= now)
    return select(payments.union_all(reversals).subquery().c.id)


def claim_next(uow: UnitOfWork) -> Question | None:
    """Take the next fee to ask for, which nobody else asks for until the lease is over; None for none."""
    payment = _first(uow, Payment, _due_payments(uow.clock()))
    if payment is not None:
        return Question("payment", payment.id, payment.charge_ref or payment.provider_ref)
    reversal = _first(uow, PaymentReversal, PaymentReversal.fee_due_at <= uow.clock())
    if reversal is not None:
        return Question(reversal.kind, reversal.id, reversal.provider_ref)
    return None


def note_moves(uow: UnitOfWork, *, question: Question, moves: Sequence[MoneyMove]) -> bool:
    """Keep and book what the provider said; False where it has to be asked again.

    Raises `Conflict` where it cannot be true: another currency, or another amount than was paid.
    """
    row = _locked(uow, question)
    payment = row if isinstance(row, Payment) else lock_row(uow, Payment, row.payment_id)
    if any(move.currency.upper() != payment.currency for move in moves):
        raise Conflict("The provider keeps its fee in another currency.")
    total = sum(move.amount_cents for move in moves)
    if isinstance(row, Payment) and moves and total != row.amount_cents:
        raise Conflict(f"The provider booked {total} cents for a payment of {row.amount_cents}.")
    for move in moves:
        _book(uow, payment, move, question)
    whole = bool(moves) and total == _expected(row)
    if moves:
        row.fee_cents = sum(move.fee_cents for move in moves)
    row.fee_due_at = None if whole else _next_look(row, uow.clock())
    uow.session.flush()
    return whole


def ask_later(uow: UnitOfWork, *, question: Question) -> None:
    """The provider did not say: it is asked again, soon at first, seldom after days."""
    row = _locked(uow, question)
    if row.fee_due_at is not None:
        row.fee_due_at = _next_look(row, uow.clock())
        uow.session.flush()


def key_of(payment: Payment, question: Question, move: MoneyMove) -> str:
    """The key of the entry of a fee: a payment has one move, what came of it later may have two."""
    return f"stripe:{payment.public_id if question.kind == 'payment' else move.ref}:fee"


def _due_payments(now: datetime) -> ColumnElement[bool]:
    """A payment of a subscription is known there by its intent alone, which another event tells."""
    named = or_(Payment.charge_ref.is_not(None), Payment.subscription_ref.is_(None))
    return and_(Payment.fee_due_at <= now, named)


def _first(uow: UnitOfWork, model: type[Of], is_due: ColumnElement[bool]) -> Of | None:
    oldest = select(model.id).where(is_due).order_by(model.fee_due_at, model.id).limit(1)
    row_id = uow.session.scalar(oldest.with_for_update(skip_locked=True))
    if row_id is None:
        return None
    row = uow.session.get_one(model, row_id)
    row.fee_due_at = uow.clock() + LEASE
    return row


def _locked(uow: UnitOfWork, question: Question) -> Row:
    if question.kind == "payment":
        return lock_row(uow, Payment, question.row_id)
    return lock_row(uow, PaymentReversal, question.row_id)


def _expected(row: Row) -> int:
    """What the provider's moves come to when all of them are there, in cents."""
    if isinstance(row, Payment):
        return row.amount_cents
    return 0 if row.state in BACK else -row.amount_cents


def _next_look(row: Row, now: datetime) -> datetime:
    since = row.received_at if isinstance(row, Payment) else row.changed_at
    return now + max(SOON, (now - since) // 10)


def _book(uow: UnitOfWork, payment: Payment, move: MoneyMove, question: Question) -> None:
    if not move.fee_cents:
        return
    kept = move.fee_cents > 0
    sides = (PROVIDER_FEES, STRIPE_BALANCE) if kept else (STRIPE_BALANCE, PROVIDER_FEES)
    draft = book.Draft(
        key=key_of(payment, question, move),
        kind=f"{question.kind} fee{'' if kept else ' returned'}",
        moves=[book.Move(*sides, amount=Cents(abs(move.fee_cents)))],
        cause=("payment", payment.id),
    )
    book.post(uow, draft)
