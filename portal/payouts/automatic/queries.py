"""Reads of automatic payouts, for the page that watches them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.models import (
    AccountUser,
    Audit,
    Consultant,
    Destination,
    PayoutAttempt,
    PayoutMethod,
    Person,
    Withdrawal,
)
from portal.payouts.automatic.limits import obstacle
from portal.payouts.automatic.orders import attempts_of
from portal.payouts.automatic.patience import Patience
from portal.payouts.payees.methods import AUTOMATIC_KINDS

STATES = ("review", "resolving", "sending", "queued", "sent", "paid", "returned", "failed")
ROWS_A_PAGE = 50
# What people have to decide on stands together, wherever its money is.
_SHOWN: ColumnElement[str] = case((Withdrawal.stuck_at.is_not(None), "review"), else_=Withdrawal.state)


@dataclass(frozen=True)
class Seen:
    """One automatic payout as the page shows it; `tries` counts its attempts."""

    withdrawal: Withdrawal
    name: str
    code: str
    method: str
    tries: int


def counts(session: Session) -> dict[str, tuple[int, int]]:
    """How many automatic payouts are in each state, and their sum in cents."""
    question = (
        select(_SHOWN, func.count(), func.sum(Withdrawal.amount_cents))
        .join(PayoutMethod, PayoutMethod.id == Withdrawal.method_id)
        .where(PayoutMethod.kind.in_(AUTOMATIC_KINDS))
        .group_by(_SHOWN)
    )
    return {state: (count, int(total)) for state, count, total in session.execute(question)}


def payouts_in(session: Session, state: str, *, limit: int = ROWS_A_PAGE) -> list[Seen]:
    """The automatic payouts in a state, the newest first."""
    tries = (
        select(func.count(PayoutAttempt.id))
        .where(PayoutAttempt.withdrawal_id == Withdrawal.id)
        .correlate(Withdrawal)
        .scalar_subquery()
    )
    question = (
        select(Withdrawal, Person.name, Consultant.code, PayoutMethod.name, tries)
        .join(Consultant, Consultant.id == Withdrawal.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .join(PayoutMethod, PayoutMethod.id == Withdrawal.method_id)
        .where(PayoutMethod.kind.in_(AUTOMATIC_KINDS), _SHOWN.in_((state,)))
        .order_by(Withdrawal.id.desc())
        .limit(limit)
    )
    return [Seen(*row) for row in session.execute(question)]


def payout_by(session: Session, public_id: str) -> Seen:
    """One automatic payout; raises `NotYours` for any other."""
    found = session.scalar(select(Withdrawal).where(Withdrawal.public_id == public_id))
    method = session.get(PayoutMethod, found.method_id) if found and found.method_id else None
    if found is None or method is None or method.kind not in AUTOMATIC_KINDS:
        raise NotYours("There is nothing here under this address.")
    owner = session.get_one(Consultant, found.consultant_id)
    tries = len(attempts_of(session, found.id))
    return Seen(found, owner.person.name, owner.code, method.name, tries)


def destination_of(session: Session, withdrawal: Withdrawal) -> Destination | None:
    """Where a payout goes."""
    return session.get(Destination, withdrawal.destination_id) if withdrawal.destination_id else None


def why_it_waits(session: Session, withdrawal: Withdrawal, *, now: datetime) -> str:
    """What holds a queued payout back, as far as that is known here; empty for nothing."""
    if withdrawal.state != "queued":
        return ""
    hindered = obstacle(session, withdrawal, ability=None, patience=Patience(), now=now)
    return hindered.reason if hindered else ""


def story_of(session: Session, withdrawal_id: int) -> list[tuple[Audit, str]]:
    """What was noted about a payout besides its attempts, oldest first, with the name of who acted."""
    question = (
        select(Audit, func.coalesce(Person.name, ""))
        .outerjoin(AccountUser, AccountUser.id == Audit.actor_id)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .where(Audit.thing == "withdrawal", Audit.thing_id == withdrawal_id)
        .order_by(Audit.id)
    )
    return [(note, name) for note, name in session.execute(question)]
