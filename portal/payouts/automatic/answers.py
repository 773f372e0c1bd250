"""What a provider answered to an attempt. An answer that comes late is kept and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portal.kernel.facts import WithdrawalPaid, WithdrawalReturned
from portal.ledger.accounts import AccountKey
from portal.models import PayoutAttempt, Withdrawal
from portal.payouts.automatic import steps
from portal.payouts.automatic.orders import Order, attempts_of
from portal.payouts.automatic.patience import Patience
from portal.payouts.settling import give_back, post_payment
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

REFUSED: Final = "The provider refused the payout."


@dataclass(frozen=True)
class Delay:
    """How long to wait and why; `key_is_spent`: the provider keeps this answer under the key."""

    seconds: int
    reason: str
    key_is_spent: bool = False


def accepted(uow: UnitOfWork, order: Order, *, ref: str, from_account: AccountKey) -> bool:
    """The provider has it: the payout is sent and booked, once. False for a late answer."""
    if not steps.close_attempt(uow, order.attempt_id, outcome="accepted", provider_ref=ref):
        return False
    return sent(uow, order.withdrawal_id, old="sending", ref=ref, from_account=from_account)


def sent(uow: UnitOfWork, withdrawal_id: int, *, old: str, ref: str, from_account: AccountKey) -> bool:
    """Lead a payout from `old` to sent and book it in the same transaction; False where it is elsewhere."""
    values = {"provider_ref": ref, "next_at": None, "settled_at": uow.clock()}
    if not steps.move(uow, withdrawal_id, old=old, new="sent", **values):
        return False
    withdrawal = uow.session.get_one(Withdrawal, withdrawal_id)
    post_payment(uow, withdrawal, from_account=from_account, actor_id=None)
    uow.publish(WithdrawalPaid(withdrawal_id), key=f"withdrawal.paid:{withdrawal_id}")
    uow.session.flush()
    return True


def rejected(uow: UnitOfWork, order: Order, *, code: str, patience: Patience) -> bool:
    """The provider will not do it: the money goes back. False for a late answer.

    While an earlier try under the same key has no answer, that one has to be cleared up first.
    """
    if not steps.close_attempt(uow, order.attempt_id, outcome="rejected", error=code):
        return False
    if _earlier_is_lost(uow, order):
        return _resolve(uow, order, patience)
    withdrawal = lock_row(uow, Withdrawal, order.withdrawal_id)
    if withdrawal.state != "sending":
        return False
    withdrawal.next_at = None
    # The code is the provider's own text: it stands in the attempt, for admins, and goes to nobody else.
    give_back(uow, withdrawal, state="failed", actor_id=None, reason=REFUSED)
    uow.publish(WithdrawalReturned(withdrawal.id), key=f"withdrawal.returned:{withdrawal.id}")
    return True


def put_off(uow: UnitOfWork, order: Order, *, delay: Delay, patience: Patience) -> bool:
    """Nothing was carried out: it waits and is tried again. False for a late answer."""
    if not steps.close_attempt(uow, order.attempt_id, outcome="retry_later", error=delay.reason):
        return False
    if _earlier_is_lost(uow, order):
        return _resolve(uow, order, patience)
    if steps.has_waited_long(uow, order.withdrawal_id, patience=patience):
        return steps.send_to_review(uow, order.withdrawal_id, old="sending", reason=delay.reason)
    at = uow.clock() + patience.seconds(delay.seconds)
    generation = order.generation + 1 if delay.key_is_spent else order.generation
    values = {"next_at": at, "generation": generation}
    return steps.move(uow, order.withdrawal_id, old="sending", new="queued", **values)


def lost(uow: UnitOfWork, order: Order, *, reason: str, by_hand: bool, patience: Patience) -> bool:
    """Nobody knows: the money stays reserved and the provider is asked. False where that is known already.

    `by_hand`: asking does not help, because the provider cannot be asked or the fault is ours.
    """
    if not steps.close_attempt(uow, order.attempt_id, outcome="unknown", error=reason):
        return False
    if by_hand:
        return steps.send_to_review(uow, order.withdrawal_id, old="sending", reason=reason)
    return _resolve(uow, order, patience)


def _resolve(uow: UnitOfWork, order: Order, patience: Patience) -> bool:
    attempt = uow.session.get_one(PayoutAttempt, order.attempt_id)
    values = {
        "next_at": patience.next_look(attempt.sent_at, now=uow.clock()),
        "absent_count": 0,
        "absent_at": None,
    }
    return steps.move(uow, order.withdrawal_id, old="sending", new="resolving", **values)


def _earlier_is_lost(uow: UnitOfWork, order: Order) -> bool:
    """Whether another try under this key never got its answer."""
    tried = attempts_of(uow.session, order.withdrawal_id, generation=order.generation)
    return any(each.outcome == "unknown" for each in tried if each.id != order.attempt_id)
