"""One step of the state machine: guarded, so that of two who want to take it one is told no."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult

from portal.models import Audit, PayoutAttempt, Withdrawal
from portal.payouts.automatic.patience import Patience
from portal.store.unit_of_work import UnitOfWork

LONGEST_ERROR = 1000


def move(uow: UnitOfWork, withdrawal_id: int, *, old: str, new: str, **values: Any) -> bool:
    """Lead a withdrawal from `old` to `new`; False, and nothing happens, where it is elsewhere already."""
    changed = uow.session.execute(
        update(Withdrawal)
        .where(Withdrawal.id == withdrawal_id, Withdrawal.state == old)
        .values(state=new, **values)
        .execution_options(synchronize_session=False)
    )
    uow.session.expire_all()
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def close_attempt(
    uow: UnitOfWork, attempt_id: int, *, outcome: str, error: str = "", provider_ref: str | None = None
) -> bool:
    """Write down how an attempt ended; False where that was written before: then this answer came late.

    A late answer is kept beside what was written and changes nothing.
    """
    now, said = uow.clock(), error[:LONGEST_ERROR] or None
    closed = uow.session.execute(
        update(PayoutAttempt)
        .where(PayoutAttempt.id == attempt_id, PayoutAttempt.outcome.is_(None))
        .values(outcome=outcome, answered_at=now, provider_ref=provider_ref, error=said)
        .execution_options(synchronize_session=False)
    )
    uow.session.expire_all()
    assert isinstance(closed, CursorResult)
    if closed.rowcount == 1:
        return True
    _keep_late(uow, attempt_id, f"late answer: {outcome} {provider_ref or ''} {error}")
    return False


def send_to_review(uow: UnitOfWork, withdrawal_id: int, *, old: str, reason: str) -> bool:
    """Leave a withdrawal to people; the money stays reserved."""
    moved = move(uow, withdrawal_id, old=old, new="review", next_at=None)
    if moved:
        note(uow, withdrawal_id, "review", reason=reason[:LONGEST_ERROR])
    return moved


def has_waited_long(uow: UnitOfWork, withdrawal_id: int, *, patience: Patience) -> bool:
    """Whether so much time went by since people last let it go that people have to look again."""
    withdrawal = uow.session.get_one(Withdrawal, withdrawal_id)
    let_go = last_note(uow, withdrawal_id, "confirm") or withdrawal.decided_at or withdrawal.requested_at
    return uow.clock() - let_go >= patience.give_up


def last_note(uow: UnitOfWork, withdrawal_id: int, *steps: str) -> datetime | None:
    """When one of these steps was last noted."""
    of_it = (Audit.thing == "withdrawal", Audit.thing_id == withdrawal_id)
    names = [f"withdrawal.{step}" for step in steps]
    return uow.session.scalar(
        select(Audit.at).where(*of_it, Audit.action.in_(names)).order_by(Audit.id.desc()).limit(1)
    )


def note(
    uow: UnitOfWork, withdrawal_id: int, step: str, *, actor_id: int | None = None, **detail: Any
) -> None:
    """Write down a step that no attempt tells of."""
    uow.note(f"withdrawal.{step}", thing="withdrawal", thing_id=withdrawal_id, actor_id=actor_id, **detail)


def ask_again(uow: UnitOfWork, withdrawal_id: int, *, at: datetime) -> None:
    """Set when a withdrawal is due next, and let the queue know."""
    uow.session.execute(
        update(Withdrawal)
        .where(Withdrawal.id == withdrawal_id)
        .values(next_at=at)
        .execution_options(synchronize_session=False)
    )
    uow.session.expire_all()
    uow.published = True


def _keep_late(uow: UnitOfWork, attempt_id: int, said: str) -> None:
    attempt = uow.session.get_one(PayoutAttempt, attempt_id)
    attempt.error = "; ".join(filter(None, (attempt.error, said.strip())))[:LONGEST_ERROR]
    uow.session.flush()
