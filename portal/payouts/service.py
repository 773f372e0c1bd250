"""Withdrawals one by one: asked for, decided on, called off, returned by the bank."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused, NotEnoughMoney, NotYours
from portal.kernel.facts import WithdrawalApproved, WithdrawalRequested, WithdrawalReturned
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, format_money
from portal.ledger import book
from portal.ledger.accounts import BANK, CURRENCY, AccountKey, available, receivable, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.statements import Balances
from portal.models import AccountUser, Consultant, Withdrawal
from portal.payouts.limits import MAXIMUM, MINIMUM
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_REASON = 500


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
    _give_back(uow, withdrawal, _Resolution("cancelled", "withdrawal cancelled", actor_id))
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
    _decide(uow, withdrawal, "approved", actor_id)
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
    withdrawal.reason = _checked_reason(reason)
    _give_back(uow, withdrawal, _Resolution("rejected", "withdrawal rejected", actor_id))
    return withdrawal


def return_withdrawal(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, reason: str) -> Withdrawal:
    """The bank sent the money of an exported or paid withdrawal back: it goes to the wallet again, once.

    Raises `Conflict` in any other state, `BadInput` without a reason, `DomainError` for one's own.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    _demand(withdrawal, "exported", "paid")
    _refuse_own(uow, withdrawal, actor_id)
    withdrawal.reason = _checked_reason(reason)
    if withdrawal.state == "paid":
        _bring_back(uow, withdrawal, actor_id)
    else:
        _give_back(uow, withdrawal, _Resolution("returned", "withdrawal returned", actor_id))
    uow.publish(WithdrawalReturned(withdrawal.id), key=f"withdrawal.returned:{withdrawal.id}")
    return withdrawal


def post_key(withdrawal: Withdrawal) -> str:
    """The key of the entry that pays a withdrawal."""
    return f"po:{withdrawal.public_id}:post"


@dataclass(frozen=True)
class _Resolution:
    """How reserved money comes back: the state it leads to, the kind of the entry, who did it."""

    state: str
    kind: str
    actor_id: int


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


def _decide(uow: UnitOfWork, withdrawal: Withdrawal, state: str, actor_id: int) -> None:
    withdrawal.state = state
    withdrawal.decided_by = actor_id
    withdrawal.decided_at = uow.clock()


def _give_back(uow: UnitOfWork, withdrawal: Withdrawal, resolution: _Resolution) -> None:
    """Reserved money goes back to its owner; the entry resolves the reserve, which can happen once."""
    _move_back(
        uow,
        withdrawal,
        source=reserved(withdrawal.consultant_id),
        draft=Draft(
            f"wd:{withdrawal.public_id}:void",
            resolution.kind,
            (),
            actor_id=resolution.actor_id,
            resolves=withdrawal.reserve_entry_id,
        ),
    )
    if resolution.state == "returned":
        withdrawal.state = "returned"
    else:
        _decide(uow, withdrawal, resolution.state, resolution.actor_id)
    _settle(uow, withdrawal, resolution.actor_id)


def _bring_back(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    """Paid money comes back from the bank; the entry undoes the payment, which can happen once."""
    paid = book.find(uow, post_key(withdrawal))
    assert paid is not None, "a paid withdrawal has its entry"
    key = f"po:{withdrawal.public_id}:ret"
    draft = Draft(key, "withdrawal returned", (), actor_id=actor_id, reverses=paid.id)
    _move_back(uow, withdrawal, source=BANK, draft=draft)
    withdrawal.state = "returned"
    _settle(uow, withdrawal, actor_id)


def _settle(uow: UnitOfWork, withdrawal: Withdrawal, actor_id: int) -> None:
    withdrawal.settled_at = uow.clock()
    state = withdrawal.state
    uow.note(f"withdrawal.{state}", thing="withdrawal", thing_id=withdrawal.id, actor_id=actor_id)
    uow.session.flush()


def _move_back(uow: UnitOfWork, withdrawal: Withdrawal, *, source: AccountKey, draft: Draft) -> None:
    """Post `draft` with the moves to the wallet: an open debt is paid first."""
    free, debt = available(withdrawal.consultant_id), receivable(withdrawal.consultant_id)
    owed = min(withdrawal.amount_cents, book.hold(uow, free, debt)[debt].balance)
    parts = ((debt, owed), (free, withdrawal.amount_cents - owed))
    moves = [Move(source, target, Cents(part)) for target, part in parts if part > 0]
    uow.session.flush()
    book.post(uow, replace(draft, moves=moves, cause=("withdrawal", withdrawal.id)))
