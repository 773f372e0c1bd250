"""What holds a payout back before it is sent: limits, a destination that rests, too little money there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.money import format_money
from portal.models import Destination, PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts.automatic.orders import attempts_of, order_of
from portal.payouts.automatic.patience import Patience

RUN: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
UNTOLD: Final = "The provider does not say how much money it has of ours."
_ENDED = ("failed", "returned", "rejected", "cancelled")


@dataclass(frozen=True)
class Ability:
    """What a provider can do now, in cents; `funds_cents` None where it does not say what it has of ours.

    One that `tells_balance` and does not say it now is sent nothing.
    """

    currencies: frozenset[str]
    minimum_cents: int
    maximum_cents: int
    can_lookup: bool
    funds_cents: int | None = None
    tells_balance: bool = False


@dataclass(frozen=True)
class Obstacle:
    """Why a payout is not sent now; without `until` a person has to decide."""

    reason: str
    until: datetime | None = None


def obstacle(
    session: Session, withdrawal: Withdrawal, *, ability: Ability | None, patience: Patience, now: datetime
) -> Obstacle | None:
    """What stands in the way of sending a queued withdrawal; None when it may go.

    `ability` None leaves out what only the provider can tell.
    """
    if withdrawal.destination_id is None or withdrawal.method_id is None:
        return Obstacle("There is no destination.")
    destination = session.get_one(Destination, withdrawal.destination_id)
    return (
        _about_destination(destination, patience=patience, now=now)
        or (_about_provider(withdrawal, ability, patience=patience, now=now) if ability else None)
        or _about_limits(session, withdrawal, destination.method, now=now, wait=patience.held_back)
        or _about_parameters(session, withdrawal)
    )


def _about_destination(destination: Destination, *, patience: Patience, now: datetime) -> Obstacle | None:
    if destination.replaced_at is not None:
        return Obstacle("The payment details were changed after this was approved.")
    if now < destination.usable_at:
        return Obstacle("These payment details are new and rest.", destination.usable_at)
    if not destination.ready:
        return Obstacle("The provider cannot pay to this account yet.", now + patience.held_back)
    return None


def _about_provider(
    withdrawal: Withdrawal, ability: Ability, *, patience: Patience, now: datetime
) -> Obstacle | None:
    if withdrawal.currency not in ability.currencies:
        return Obstacle(f"The provider does not pay in {withdrawal.currency}.")
    if not ability.minimum_cents <= withdrawal.net_cents <= ability.maximum_cents:
        return Obstacle("The provider does not pay this amount.")
    if ability.funds_cents is None:
        return Obstacle(UNTOLD, now + patience.untold) if ability.tells_balance else None
    if withdrawal.net_cents > ability.funds_cents:
        return Obstacle("There is too little money at the provider.", now + patience.held_back)
    return None


def _about_limits(
    session: Session, withdrawal: Withdrawal, method: PayoutMethod, *, now: datetime, wait: timedelta
) -> Obstacle | None:
    amount = withdrawal.amount_cents
    if amount > method.maximum_cents:
        return Obstacle(f"One payout may be {format_money(method.maximum_cents)} at most.")
    if amount > min(method.daily_limit_cents, method.run_limit_cents):
        return Obstacle("This payout alone is over the limit of a day or an hour.")
    of_person = Withdrawal.consultant_id == withdrawal.consultant_id
    if _sent_since(session, withdrawal, now - DAY, of_person) + amount > method.daily_limit_cents:
        return Obstacle(f"{format_money(method.daily_limit_cents)} a day for one person.", now + wait)
    of_method = Withdrawal.method_id == method.id
    if _sent_since(session, withdrawal, now - RUN, of_method) + amount > method.run_limit_cents:
        return Obstacle(f"{format_money(method.run_limit_cents)} an hour for all.", now + wait)
    return None


def _about_parameters(session: Session, withdrawal: Withdrawal) -> Obstacle | None:
    before = attempts_of(session, withdrawal.id)
    if before and before[0].request_sha256 != order_of(session, withdrawal).fingerprint():
        return Obstacle("What would be sent is not what was sent before.")
    return None


def _sent_since(session: Session, withdrawal: Withdrawal, since: datetime, whose: object) -> int:
    """What was set in motion since then, without this one and without what came back."""
    tried = select(PayoutAttempt.withdrawal_id).where(PayoutAttempt.sent_at > since)
    total = session.scalar(
        select(func.coalesce(func.sum(Withdrawal.amount_cents), 0)).where(
            whose,  # type: ignore[arg-type]
            Withdrawal.id.in_(tried),
            Withdrawal.id != withdrawal.id,
            Withdrawal.state.not_in(_ENDED),
        )
    )
    return int(total or 0)
