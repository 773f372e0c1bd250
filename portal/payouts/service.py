"""Withdrawals one by one: asked for, decided on, called off, returned by the bank."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused, NotEnoughMoney, NotYours
from portal.kernel.facts import WithdrawalRequested, WithdrawalReturned
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, format_money
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, available, receivable, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.statements import Balances
from portal.models import Destination, PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts.approval import approve as approve
from portal.payouts.approval import is_own as is_own
from portal.payouts.payees import destinations
from portal.payouts.payees.methods import AUTOMATIC_KINDS
from portal.payouts.settling import bring_back, give_back
from portal.payouts.terms import Terms, terms_of
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_REASON = 500


def request_withdrawal(
    uow: UnitOfWork, *, consultant_id: int, amount: Cents, key: str, actor_id: int
) -> Withdrawal:
    """Ask for a withdrawal to the consultant's first destination; all else as `request_to`."""
    destination = destinations.preferred(uow.session, consultant_id)
    if destination is None:
        raise BadInput("Please say first how you want to be paid.", field="method")
    return request_to(uow, destination_id=destination.id, amount=amount, key=key, actor_id=actor_id)


def request_to(uow: UnitOfWork, *, destination_id: int, amount: Cents, key: str, actor_id: int) -> Withdrawal:
    """Set money aside for a withdrawal; the same key gives back the withdrawal that is there.

    Raises `NotEnoughMoney` when it is not available or a debt is open, `KeyReused` when the key was used for
    something else, and all that `terms_of` raises.
    """
    destination = uow.session.get_one(Destination, destination_id)
    consultant_id = destination.consultant_id
    free, debt = available(consultant_id), receivable(consultant_id)
    held = book.hold(uow, free, debt)
    if known := _asked_before(uow, key):
        if (known.destination_id, known.amount_cents) != (destination_id, amount):
            raise KeyReused("This was asked before with another amount. Please start again.")
        return known
    _check_debt(held[debt].balance)
    terms = terms_of(uow.session, destination, amount, now=uow.clock())
    _check_free(amount, free=held[free].balance)
    withdrawal = _reserve(uow, destination, terms, key=key, actor_id=actor_id)
    uow.publish(WithdrawalRequested(withdrawal.id), key=f"withdrawal.requested:{withdrawal.id}")
    return withdrawal


def check_amount(
    session: Session, destination: Destination, amount: Cents, *, balances: Balances, now: datetime
) -> Terms:
    """The terms as things stand, for the check page; raises as `request_to` does."""
    _check_debt(balances.debt)
    terms = terms_of(session, destination, amount, now=now)
    _check_free(amount, free=balances.available)
    return terms


def cancel_withdrawal(
    uow: UnitOfWork, *, withdrawal_id: int, consultant_id: int, actor_id: int
) -> Withdrawal:
    """Call one's own withdrawal off, while nobody decided on it.

    Raises `NotYours` for somebody else's, `Conflict` once it is decided.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    if withdrawal.consultant_id != consultant_id:
        raise NotYours("There is nothing here under this address.")
    _demand(withdrawal, "requested")
    _decided(uow, withdrawal, actor_id)
    give_back(uow, withdrawal, state="cancelled", actor_id=actor_id)
    return withdrawal


def reject(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, reason: str) -> Withdrawal:
    """Say no to somebody else's withdrawal before it is exported or sent; the money goes back.

    Raises `Conflict` once it is exported, over, or perhaps at a provider, `BadInput` without a reason,
    `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "requested", "approved", "queued")
    _demand_untouched(uow, withdrawal)
    _refuse_own(uow, withdrawal, actor_id)
    said = _checked_reason(reason)
    _decided(uow, withdrawal, actor_id)
    withdrawal.next_at = None
    give_back(uow, withdrawal, state="rejected", actor_id=actor_id, reason=said)
    return withdrawal


def return_withdrawal(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, reason: str) -> Withdrawal:
    """The bank sent the money of an exported or paid withdrawal back: it goes to the wallet again, once.

    Raises `Conflict` in any other state and for what a provider paid, `BadInput` without a reason,
    `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "exported", "paid")
    _demand_bank(uow, withdrawal)
    _refuse_own(uow, withdrawal, actor_id)
    said = _checked_reason(reason)
    if withdrawal.state == "paid":
        bring_back(uow, withdrawal, actor_id=actor_id, reason=said)
    else:
        give_back(uow, withdrawal, state="returned", actor_id=actor_id, reason=said)
    uow.publish(WithdrawalReturned(withdrawal.id), key=f"withdrawal.returned:{withdrawal.id}")
    return withdrawal


def _asked_before(uow: UnitOfWork, key: str) -> Withdrawal | None:
    return uow.session.scalar(select(Withdrawal).where(Withdrawal.key == key))


def _check_debt(debt: int) -> None:
    if debt > 0:
        raise NotEnoughMoney(
            f"A correction of {format_money(debt)} is open. Your next earnings pay it first.", field="amount"
        )


def _check_free(amount: int, *, free: int) -> None:
    if amount > free:
        raise NotEnoughMoney(f"{format_money(free)} is available, not more.", field="amount")


def _reserve(
    uow: UnitOfWork, destination: Destination, terms: Terms, *, key: str, actor_id: int
) -> Withdrawal:
    public_id, owner = new_id(), destination.consultant_id
    move = Move(available(owner), reserved(owner), terms.amount)
    entry = book.post(uow, Draft(f"wd:{public_id}", "withdrawal requested", [move], actor_id=actor_id))
    withdrawal = Withdrawal(
        public_id=public_id,
        key=key,
        consultant_id=owner,
        amount_cents=terms.amount,
        fee_cents=terms.fee,
        withheld_cents=terms.withheld,
        currency=CURRENCY,
        state="requested",
        method_id=destination.method_id,
        destination_id=destination.id,
        reserve_entry_id=entry.id,
        requested_by=actor_id,
        requested_at=uow.clock(),
    )
    uow.session.add(withdrawal)
    uow.session.flush()
    return withdrawal


def _demand(withdrawal: Withdrawal, *states: str) -> None:
    if withdrawal.state not in states:
        raise Conflict(f"This withdrawal is {withdrawal.state}.")


def _demand_untouched(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    """Nothing that a provider may still carry out is given back."""
    lost = PayoutAttempt.outcome.is_(None) | PayoutAttempt.outcome.in_(("accepted", "unknown"))
    tried = select(PayoutAttempt.id).where(PayoutAttempt.withdrawal_id == withdrawal.id, lost)
    if uow.session.scalar(tried.limit(1)) is not None:
        raise Conflict("Nobody knows yet whether the provider carried this out.")


def _demand_bank(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    method = uow.session.get(PayoutMethod, withdrawal.method_id) if withdrawal.method_id else None
    if method is not None and method.kind in AUTOMATIC_KINDS:
        raise Conflict("A provider paid this: it tells what came back, or two people decide.")


def _refuse_own(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    if is_own(uow, consultant_id=withdrawal.consultant_id, actor_id=actor_id):
        raise DomainError("Somebody else has to decide on your own withdrawal.")


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise BadInput("Please give a reason; the consultant reads it.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise BadInput("Please say it in fewer words.", field="reason")
    return reason


def _decided(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    withdrawal.decided_by, withdrawal.decided_at = actor_id, uow.clock()
