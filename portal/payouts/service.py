"""Withdrawals one by one: asked for, decided on, called off, returned by the bank."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused, NotEnoughMoney, NotYours
from portal.kernel.facts import WithdrawalApproved, WithdrawalRequested, WithdrawalReturned
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, format_money
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, available, receivable, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.statements import Balances
from portal.models import AccountUser, Consultant, PayoutMethod, Withdrawal
from portal.payouts.limits import MAXIMUM, MINIMUM
from portal.payouts.settling import bring_back, give_back
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_REASON = 500
AUTOMATIC_KINDS = ("stripe", "http")


def request_withdrawal(
    uow: UnitOfWork, *, consultant_id: int, amount: Cents, key: str, actor_id: int
) -> Withdrawal:
    """Set money aside for a withdrawal; the same key gives back the withdrawal that is there.

    Raises `BadInput` below the minimum and above the maximum, `NotEnoughMoney` when it is not available or a
    debt is open, `KeyReused` when the key was used for something else.
    """
    free, debt = available(consultant_id), receivable(consultant_id)
    held = book.hold(uow, free, debt)
    if known := uow.session.scalar(select(Withdrawal).where(Withdrawal.key == key)):
        if (known.consultant_id, known.amount_cents) != (consultant_id, amount):
            raise KeyReused("This was asked before with another amount. Please start again.")
        return known
    _check(amount, free=held[free].balance, debt=held[debt].balance)
    withdrawal = _reserve(uow, consultant_id, amount, key, actor_id)
    uow.publish(WithdrawalRequested(withdrawal.id), key=f"withdrawal.requested:{withdrawal.id}")
    return withdrawal


def check_amount(amount: Cents, *, balances: Balances) -> None:
    """Whether this much could be asked for as things stand; raises as `request_withdrawal` does."""
    _check(amount, free=balances.available, debt=balances.debt)


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


def approve(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int) -> Withdrawal:
    """Say yes to somebody else's withdrawal.

    Raises `Conflict` once it is decided or while its owner owes money, `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "requested")
    _refuse_own(uow, withdrawal, actor_id)
    if book.balance(uow, receivable(withdrawal.consultant_id)) > 0:
        raise Conflict("A correction is open on this wallet. Reject the withdrawal; its money pays the debt.")
    _decided(uow, withdrawal, actor_id)
    _set_out(uow, withdrawal)
    uow.note("withdrawal.approve", thing="withdrawal", thing_id=withdrawal.id, actor_id=actor_id)
    uow.publish(WithdrawalApproved(withdrawal.id), key=f"withdrawal.approved:{withdrawal.id}")
    uow.session.flush()
    return withdrawal


def reject(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, reason: str) -> Withdrawal:
    """Say no to somebody else's withdrawal before it is exported; the money goes back.

    Raises `Conflict` once it is exported or over, `BadInput` without a reason, `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "requested", "approved")
    _refuse_own(uow, withdrawal, actor_id)
    said = _checked_reason(reason)
    _decided(uow, withdrawal, actor_id)
    give_back(uow, withdrawal, state="rejected", actor_id=actor_id, reason=said)
    return withdrawal


def return_withdrawal(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, reason: str) -> Withdrawal:
    """The bank sent the money of an exported or paid withdrawal back: it goes to the wallet again, once.

    Raises `Conflict` in any other state, `BadInput` without a reason, `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "exported", "paid")
    _refuse_own(uow, withdrawal, actor_id)
    said = _checked_reason(reason)
    if withdrawal.state in ("sent", "paid"):
        bring_back(uow, withdrawal, actor_id=actor_id, reason=said)
    else:
        give_back(uow, withdrawal, state="returned", actor_id=actor_id, reason=said)
    uow.publish(WithdrawalReturned(withdrawal.id), key=f"withdrawal.returned:{withdrawal.id}")
    return withdrawal


def _check(amount: int, *, free: int, debt: int) -> None:
    if debt > 0:
        raise NotEnoughMoney(
            f"A correction of {format_money(debt)} is open. Your next earnings pay it first.", field="amount"
        )
    if amount < MINIMUM:
        raise BadInput(f"The smallest withdrawal is {format_money(MINIMUM)}.", field="amount")
    if amount > MAXIMUM:
        raise BadInput(f"The largest withdrawal is {format_money(MAXIMUM)}.", field="amount")
    if amount > free:
        raise NotEnoughMoney(f"{format_money(free)} is available, not more.", field="amount")


def _reserve(uow: UnitOfWork, consultant_id: int, amount: Cents, key: str, actor_id: int) -> Withdrawal:
    public_id = new_id()
    move = Move(available(consultant_id), reserved(consultant_id), amount)
    entry = book.post(uow, Draft(f"wd:{public_id}", "withdrawal requested", [move], actor_id=actor_id))
    withdrawal = Withdrawal(
        public_id=public_id,
        key=key,
        consultant_id=consultant_id,
        amount_cents=amount,
        currency=CURRENCY,
        state="requested",
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


def _refuse_own(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    if is_own(uow, consultant_id=withdrawal.consultant_id, actor_id=actor_id):
        raise DomainError("Somebody else has to decide on your own withdrawal.")


def is_own(uow: UnitOfWork, *, consultant_id: int, actor_id: int) -> bool:
    """Whether the wallet belongs to the person who acts."""
    return (
        uow.session.scalar(
            select(Consultant.id)
            .join(AccountUser, AccountUser.person_id == Consultant.person_id)
            .where(Consultant.id == consultant_id, AccountUser.id == actor_id)
        )
        is not None
    )


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise BadInput("Please give a reason; the consultant reads it.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise BadInput("Please say it in fewer words.", field="reason")
    return reason


def _decided(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    withdrawal.decided_by, withdrawal.decided_at = actor_id, uow.clock()


def _set_out(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    """What a provider pays waits for its turn at once; what a file pays waits for its export."""
    method = uow.session.get(PayoutMethod, withdrawal.method_id) if withdrawal.method_id else None
    withdrawal.state = "approved"
    if method is not None and method.kind in AUTOMATIC_KINDS:
        withdrawal.state, withdrawal.next_at = "queued", uow.clock()
