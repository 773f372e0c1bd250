"""What becomes of a payout after it was sent: it reaches the bank, or comes back. Once, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.kernel.errors import DomainError
from portal.kernel.facts import WithdrawalReturned
from portal.models import Destination, PayoutAttempt, Withdrawal
from portal.payouts.automatic import steps
from portal.payouts.automatic.orders import public_id_of
from portal.payouts.automatic.patience import Patience
from portal.payouts.settling import bring_back
from portal.store.locks import lock_row, lock_where
from portal.store.unit_of_work import UnitOfWork

# An event tells whole seconds of another clock.
_CLOCKS = timedelta(minutes=1)
_ON_THEIR_WAY = ("sending", "resolving")


@dataclass(frozen=True)
class AccountWord:
    """What a provider said of an account, and when: whether it can be paid, or what is missing."""

    account: str
    ready: bool
    problem: str
    told_at: datetime


def arrived(uow: UnitOfWork, *, account: str, arrival: str, amount_cents: int, created: datetime) -> int:
    """The provider's payment `arrival` brought this much from `account` to the bank; how many it paid.

    Raises `DomainError` while it may carry a payout that we do not know to be sent yet.
    """
    if _carried_by(uow, arrival):
        return 0
    carried = _covered(uow, account=account, amount_cents=amount_cents, created=created)
    for withdrawal in carried:
        withdrawal.arrival_ref = arrival
        uow.session.flush()
        steps.move(uow, withdrawal.id, old="sent", new="paid")
        steps.note(uow, withdrawal.id, "arrived", arrival=arrival)
    return len(carried)


def bounced(uow: UnitOfWork, *, account: str, arrival: str, amount_cents: int, created: datetime) -> int:
    """The bank refused the payment `arrival`: what it carried lies at the provider and is fetched back.

    How many are to be fetched. The money is back in the wallet when the provider gave it back. Raises as
    `arrived` does.
    """
    carried = list(_carried_by(uow, arrival)) or _covered(
        uow, account=account, amount_cents=amount_cents, created=created
    )
    waiting = [each for each in carried if _can_be_fetched(each)]
    for withdrawal in waiting:
        withdrawal.arrival_ref = arrival
        uow.session.flush()
        steps.note(uow, withdrawal.id, "bounced", arrival=arrival)
        steps.ask_again(uow, withdrawal.id, at=uow.clock())
    return len(waiting)


def reversed_there(uow: UnitOfWork, *, ref: str, group: str) -> bool:
    """The provider took `ref` back: the money is in the wallet again, once. False where that changes nothing.

    While the payout is not known to be sent, it is asked for at once instead.
    """
    withdrawal = lock_where(uow, Withdrawal, Withdrawal.provider_ref == ref)
    if withdrawal is not None:
        return came_back(uow, withdrawal_id=withdrawal.id, reason="The provider sent the money back.")
    unsettled = lock_where(
        uow,
        Withdrawal,
        Withdrawal.public_id == public_id_of(group),
        Withdrawal.state.in_(_ON_THEIR_WAY),
    )
    if unsettled is not None and unsettled.state == "resolving":
        steps.ask_again(uow, unsettled.id, at=uow.clock())
    return False


def came_back(uow: UnitOfWork, *, withdrawal_id: int, reason: str) -> bool:
    """The money of a sent or paid payout is ours again: it goes to the wallet and its owner is told, once."""
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    if withdrawal.state not in ("sent", "paid"):
        return False
    withdrawal.next_at = withdrawal.stuck_at = None
    bring_back(uow, withdrawal, actor_id=None, reason=reason)
    uow.publish(WithdrawalReturned(withdrawal_id), key=f"withdrawal.returned:{withdrawal_id}")
    return True


def fetch_later(uow: UnitOfWork, *, withdrawal_id: int, at: datetime, patience: Patience) -> None:
    """The provider did not give the money back yet; it is asked again, and after a week two people decide."""
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    if withdrawal.state not in ("sent", "paid") or withdrawal.stuck_at is not None:
        return
    since = steps.last_note(uow, withdrawal_id, "bounced", "confirm")
    if since is None or uow.clock() - since < patience.give_up:
        steps.ask_again(uow, withdrawal_id, at=at)
        return
    withdrawal.stuck_at, withdrawal.next_at = uow.clock(), None
    uow.session.flush()
    steps.note(uow, withdrawal_id, "review", reason="For seven days the provider did not give it back.")


def _can_be_fetched(withdrawal: Withdrawal) -> bool:
    waits = withdrawal.next_at is not None or withdrawal.stuck_at is not None
    return withdrawal.state in ("sent", "paid") and not waits


def account_changed(uow: UnitOfWork, word: AccountWord) -> int:
    """The provider can, or cannot, pay to an account: what waits for it goes on. How many destinations.

    A word that is older than the one that is known changes nothing.
    """
    found = uow.session.scalars(
        select(Destination)
        .where(Destination.provider_account == word.account, Destination.replaced_at.is_(None))
        .order_by(Destination.id)
        .with_for_update(of=Destination)
        .execution_options(populate_existing=True)
    ).all()
    news = [each for each in found if each.told_at is None or each.told_at <= word.told_at]
    for destination in news:
        destination.ready, destination.told_at = word.ready, word.told_at
        destination.problem = None if word.ready else word.problem[:500] or None
        if word.ready:
            _wake(uow, destination.id)
    uow.session.flush()
    return len(news)


def _wake(uow: UnitOfWork, destination_id: int) -> None:
    queued = (Withdrawal.destination_id == destination_id, Withdrawal.state == "queued")
    for withdrawal_id in uow.session.scalars(select(Withdrawal.id).where(*queued)).all():
        steps.ask_again(uow, withdrawal_id, at=uow.clock())


def _carried_by(uow: UnitOfWork, arrival: str) -> Sequence[Withdrawal]:
    return uow.session.scalars(
        select(Withdrawal)
        .where(Withdrawal.arrival_ref == arrival)
        .order_by(Withdrawal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _covered(uow: UnitOfWork, *, account: str, amount_cents: int, created: datetime) -> list[Withdrawal]:
    """What a payment of this size carries: the oldest that are on their way from this account.

    The event names no transfers; an account is used for us alone, and the provider pays all that lies there.
    """
    tried = select(PayoutAttempt.withdrawal_id).where(PayoutAttempt.sent_at <= created + _CLOCKS)
    ours = select(Destination.id).where(Destination.provider_account == account)
    candidates = uow.session.scalars(
        select(Withdrawal)
        .where(
            Withdrawal.destination_id.in_(ours),
            Withdrawal.state.in_(("sent", *_ON_THEIR_WAY)),
            Withdrawal.arrival_ref.is_(None),
            Withdrawal.id.in_(tried),
        )
        .order_by(Withdrawal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    covered, left = [], amount_cents
    for withdrawal in candidates:
        if withdrawal.state == "sent" and withdrawal.net_cents <= left:
            covered.append(withdrawal)
            left -= withdrawal.net_cents
    if left > 0 and any(each.state in _ON_THEIR_WAY for each in candidates):
        raise DomainError("A payout to this account is not known to be sent yet.")
    return covered
