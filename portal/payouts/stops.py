"""Stops: while one stands, no money leaves; a person lifts it and says why."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.models import PayoutStop
from portal.store.locks import advisory, lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_DETAIL = 1000
LONGEST_REASON = 500


def stop(uow: UnitOfWork, *, cause: str, detail: str) -> PayoutStop:
    """Let no more money leave for this `cause`; while it stands already, the stop that is there stays."""
    advisory(uow, "payout stops")
    known = uow.session.scalar(
        select(PayoutStop).where(PayoutStop.cause == cause, PayoutStop.lifted_at.is_(None))
    )
    if known is not None:
        return known
    made = PayoutStop(cause=cause, detail=detail[:LONGEST_DETAIL], since=uow.clock())
    uow.session.add(made)
    uow.session.flush()
    uow.note("payouts.stop", thing="payout_stop", thing_id=made.id, actor_id=None, cause=cause)
    return made


def standing(session: Session) -> list[PayoutStop]:
    """The stops that stand, oldest first."""
    statement = select(PayoutStop).where(PayoutStop.lifted_at.is_(None))
    return list(session.scalars(statement.order_by(PayoutStop.since, PayoutStop.id)))


def lift(uow: UnitOfWork, *, stop_id: int, actor_id: int, reason: str) -> PayoutStop:
    """Let money leave again as far as this stop held it.

    Raises `BadInput` without a reason, `Conflict` when it is lifted already, `NotYours` when there is none.
    """
    reason = reason.strip()
    if not reason:
        raise BadInput("Please say why money may leave again.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise BadInput("Please say it in fewer words.", field="reason")
    found = lock_row(uow, PayoutStop, stop_id)
    if found.lifted_at is not None:
        raise Conflict("This stop is lifted already.")
    found.lifted_at, found.lifted_by, found.lift_reason = uow.clock(), actor_id, reason
    uow.note("payouts.lift", thing="payout_stop", thing_id=found.id, actor_id=actor_id, cause=found.cause)
    uow.session.flush()
    return found


def refuse_while_stopped(uow: UnitOfWork) -> None:
    """Go on only while no stop stands; raises `Conflict`."""
    if standing(uow.session):
        raise Conflict("Payouts are stopped until somebody has looked into it. The page Books says why.")
