"""What a look-up found about a payout whose answer was lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.ledger.accounts import AccountKey
from portal.models import PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts import stops
from portal.payouts.automatic import arrivals, steps
from portal.payouts.automatic.answers import sent
from portal.payouts.automatic.orders import Order, attempts_of
from portal.payouts.automatic.patience import SAME_KEY_TRIES, Patience
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

SECOND = "second transfer"


def found(uow: UnitOfWork, order: Order, *, ref: str, came_back: bool, from_account: AccountKey) -> bool:
    """It is there: sent and booked, once; and returned at once where it came back meanwhile."""
    settled = sent(uow, order.withdrawal_id, old="resolving", ref=ref, from_account=from_account)
    if settled and came_back:
        arrivals.came_back(uow, withdrawal_id=order.withdrawal_id, reason="The transfer was reversed.")
    return settled


def second_seen(uow: UnitOfWork, *, group: str, refs: Sequence[str]) -> None:
    """A payout was carried out twice: nothing is sent any more until a person has looked."""
    stops.stop(uow, cause=SECOND, detail=f"{group} was carried out more than once: {', '.join(refs)}")


def absent(uow: UnitOfWork, order: Order, *, patience: Patience, keeps_keys: bool = False) -> None:
    """The provider has none: once more under the same key, later under a new one, or a person decides.

    The same key is used only where the provider `keeps_keys`: a lost order may still be under way to it.
    """
    withdrawal = _held(uow, order)
    if withdrawal is None:
        return
    now, tried = uow.clock(), attempts_of(uow.session, withdrawal.id)
    withdrawal.absent_count += 1
    withdrawal.absent_at = withdrawal.absent_at or now
    withdrawal.next_at = min(patience.next_look(tried[-1].sent_at, now=now), now + patience.gap)
    uow.session.flush()
    alone = _may_go_alone(uow, withdrawal)
    if alone and keeps_keys and _same_key_helps(withdrawal, tried, patience, now):
        _try_again(uow, withdrawal, generation=withdrawal.generation)
    elif not _is_proven(withdrawal, tried[-1], patience, now):
        _give_up_when_old(uow, withdrawal, tried, patience)
    elif alone and not _is_old(tried, patience, now):
        _try_again(uow, withdrawal, generation=withdrawal.generation + 1)
    else:
        reason = "The provider has no such payout, and it is not to be sent again without a person."
        steps.send_to_review(uow, withdrawal.id, old="resolving", reason=reason)


def not_told(uow: UnitOfWork, order: Order, *, reason: str, by_hand: bool, patience: Patience) -> None:
    """The provider did not say: it is asked again, for seven days; or a person has to look."""
    withdrawal = _held(uow, order)
    if withdrawal is None:
        return
    if by_hand:
        steps.send_to_review(uow, withdrawal.id, old="resolving", reason=reason)
        return
    tried, now = attempts_of(uow.session, withdrawal.id), uow.clock()
    withdrawal.next_at = patience.look_again(tried[-1].sent_at, now=now)
    uow.session.flush()
    _give_up_when_old(uow, withdrawal, tried, patience)


def _held(uow: UnitOfWork, order: Order) -> Withdrawal | None:
    withdrawal = lock_row(uow, Withdrawal, order.withdrawal_id)
    same = withdrawal.state == "resolving" and withdrawal.generation == order.generation
    return withdrawal if same else None


def _same_key_helps(
    withdrawal: Withdrawal, tried: Sequence[PayoutAttempt], patience: Patience, now: datetime
) -> bool:
    """Under a key that the provider still knows, the same order is carried out once at most."""
    of_key = [each for each in tried if each.generation == withdrawal.generation]
    lost = [each for each in of_key if each.outcome == "unknown"]
    return len(lost) < SAME_KEY_TRIES and now - of_key[0].sent_at < patience.key_life


def _is_proven(withdrawal: Withdrawal, last: PayoutAttempt, patience: Patience, now: datetime) -> bool:
    """Whether nothing was carried out, and nothing of ours can still be on its way."""
    assert withdrawal.absent_at is not None, "it was just found absent"
    apart = withdrawal.absent_count >= 2 and now - withdrawal.absent_at >= patience.gap
    return apart and now - last.sent_at >= patience.quiet


def _may_go_alone(uow: UnitOfWork, withdrawal: Withdrawal) -> bool:
    method = uow.session.get_one(PayoutMethod, withdrawal.method_id)
    return withdrawal.amount_cents <= method.automatic_limit_cents


def _try_again(uow: UnitOfWork, withdrawal: Withdrawal, *, generation: int) -> None:
    values = {"generation": generation, "next_at": uow.clock(), "absent_count": 0, "absent_at": None}
    steps.move(uow, withdrawal.id, old="resolving", new="queued", **values)


def _give_up_when_old(
    uow: UnitOfWork, withdrawal: Withdrawal, tried: Sequence[PayoutAttempt], patience: Patience
) -> None:
    if _is_old(tried, patience, uow.clock()):
        reason = "For seven days nobody could find out what became of it."
        steps.send_to_review(uow, withdrawal.id, old="resolving", reason=reason)


def _is_old(tried: Sequence[PayoutAttempt], patience: Patience, now: datetime) -> bool:
    return now - tried[0].sent_at >= patience.give_up
