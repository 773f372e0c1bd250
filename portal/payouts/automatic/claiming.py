"""Taking what is due: every attempt is written down and committed before its call is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.models import PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts.automatic import steps
from portal.payouts.automatic.limits import Ability, obstacle
from portal.payouts.automatic.orders import Order, attempts_of, order_of
from portal.payouts.automatic.patience import Patience
from portal.payouts.payees.methods import AUTOMATIC_KINDS
from portal.payouts.stops import standing
from portal.store.unit_of_work import UnitOfWork

ASKING = ("queued", "sending", "resolving", "sent", "paid")


@dataclass(frozen=True)
class Claim:
    """What was taken; without an `order` the withdrawal was held back or left to people."""

    order: Order | None = None


def methods_due(session: Session, *, now: datetime) -> list[PayoutMethod]:
    """The methods by which something is due now."""
    due = select(Withdrawal.method_id).where(Withdrawal.state.in_(ASKING), Withdrawal.next_at <= now)
    automatic = (PayoutMethod.kind.in_(AUTOMATIC_KINDS), PayoutMethod.id.in_(due))
    return list(session.scalars(select(PayoutMethod).where(*automatic).order_by(PayoutMethod.position)))


def is_sending_due(session: Session, *, now: datetime) -> bool:
    """Whether money is about to leave: something waits to be sent, and no stop stands."""
    waits = select(Withdrawal.id).where(Withdrawal.state == "queued", Withdrawal.next_at <= now)
    return session.scalar(waits.limit(1)) is not None and not standing(session)


def claim_send(uow: UnitOfWork, *, method_id: int, ability: Ability, patience: Patience) -> Claim | None:
    """Take the first due payout of a method and write its attempt down; None when nothing may be sent."""
    if standing(uow.session):
        return None
    withdrawal = _take(uow, method_id, "queued")
    if withdrawal is None:
        return None
    if _key_is_too_old(uow, withdrawal, patience):
        steps.move(uow, withdrawal.id, old="queued", new="resolving", next_at=uow.clock())
        return Claim()
    hindered = obstacle(uow.session, withdrawal, ability=ability, patience=patience, now=uow.clock())
    if hindered is None:
        return Claim(_begin(uow, withdrawal, patience))
    if hindered.until is None or steps.has_waited_long(uow, withdrawal.id, patience=patience):
        steps.send_to_review(uow, withdrawal.id, old="queued", reason=hindered.reason)
    else:
        withdrawal.next_at = hindered.until
        uow.session.flush()
    return Claim()


def claim_look(uow: UnitOfWork, *, method_id: int, patience: Patience) -> Order | None:
    """Take the first payout of a method whose outcome is to be asked for; None when there is none."""
    withdrawal = _take(uow, method_id, "resolving")
    return None if withdrawal is None else _lease(uow, withdrawal, patience)


def claim_return(uow: UnitOfWork, *, method_id: int, patience: Patience) -> Order | None:
    """Take the first payout of a method whose money has to be fetched back; None when there is none."""
    withdrawal = _take(uow, method_id, "sent", "paid")
    return None if withdrawal is None else _lease(uow, withdrawal, patience)


def recover(uow: UnitOfWork, *, patience: Patience) -> int:
    """What was taken by somebody who died with the answer has none: it has to be asked for. How many."""
    lost = uow.session.scalars(
        select(Withdrawal)
        .where(Withdrawal.state == "sending", Withdrawal.next_at <= uow.clock())
        .order_by(Withdrawal.id)
        .with_for_update(skip_locked=True)
    ).all()
    for withdrawal in lost:
        tried = attempts_of(uow.session, withdrawal.id)
        if not tried:
            withdrawal.state, withdrawal.next_at = "review", None
            steps.note(uow, withdrawal.id, "review", reason="It is being sent without an attempt.")
            continue
        attempt = tried[-1]
        if attempt.outcome is None:
            attempt.outcome, attempt.answered_at = "unknown", uow.clock()
            attempt.error = "nobody wrote the answer down"
        withdrawal.state, withdrawal.absent_count, withdrawal.absent_at = "resolving", 0, None
        withdrawal.next_at = patience.next_look(attempt.sent_at, now=uow.clock())
    uow.session.flush()
    return len(lost)


def hold_method(uow: UnitOfWork, *, method_id: int, until: datetime) -> None:
    """Let everything that waits to be sent by a method wait until then at least."""
    uow.session.execute(
        update(Withdrawal)
        .where(Withdrawal.method_id == method_id, Withdrawal.state == "queued", Withdrawal.next_at < until)
        .values(next_at=until)
        .execution_options(synchronize_session=False)
    )
    uow.session.expire_all()


def _take(uow: UnitOfWork, method_id: int, *states: str) -> Withdrawal | None:
    due = (
        select(Withdrawal)
        .where(
            Withdrawal.method_id == method_id,
            Withdrawal.state.in_(states),
            Withdrawal.next_at <= uow.clock(),
        )
        .order_by(Withdrawal.next_at, Withdrawal.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return uow.session.scalars(due).first()


def _lease(uow: UnitOfWork, withdrawal: Withdrawal, patience: Patience) -> Order:
    withdrawal.next_at = uow.clock() + patience.lease
    uow.session.flush()
    return order_of(uow.session, withdrawal)


def _begin(uow: UnitOfWork, withdrawal: Withdrawal, patience: Patience) -> Order:
    """Write the attempt down; one open attempt for a withdrawal is all the database lets there be."""
    now, number = uow.clock(), len(attempts_of(uow.session, withdrawal.id)) + 1
    withdrawal.state, withdrawal.next_at = "sending", now + patience.lease
    withdrawal.generation = max(withdrawal.generation, 1)
    order = order_of(uow.session, withdrawal)
    attempt = PayoutAttempt(
        withdrawal_id=withdrawal.id,
        number=number,
        generation=order.generation,
        key=order.key,
        request_sha256=order.fingerprint(),
        sent_at=now,
    )
    uow.session.add(attempt)
    uow.session.flush()
    return order_of(uow.session, withdrawal, attempt_id=attempt.id)


def _key_is_too_old(uow: UnitOfWork, withdrawal: Withdrawal, patience: Patience) -> bool:
    """Whether a try under this key lacks its answer and the provider may have forgotten the key."""
    tried = attempts_of(uow.session, withdrawal.id, generation=withdrawal.generation)
    lost = [attempt for attempt in tried if attempt.outcome in (None, "unknown")]
    return bool(lost) and uow.clock() - tried[0].sent_at >= patience.key_life
