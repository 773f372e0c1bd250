"""A consultant's account at a provider: written down before it is opened, ready when the provider says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.kernel.ids import new_id
from portal.models import Consultant, Destination, EventSweep, PayoutMethod, Withdrawal
from portal.payouts.automatic import arrivals, banks
from portal.payouts.payees import destinations
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

KIND = "stripe"
REFUSED = "refused"
UNDER_WAY = ("approved", "queued", "sending", "resolving", "sent")
MAY_BOUNCE = timedelta(days=14)
_DEAD = ("account_closed", REFUSED)


def offered_method(session: Session) -> PayoutMethod:
    """The method by which accounts are paid; raises `NotYours` where none is on offer."""
    wanted = (PayoutMethod.kind == KIND, PayoutMethod.enabled)
    ordered = select(PayoutMethod).where(*wanted).order_by(PayoutMethod.position, PayoutMethod.id)
    found = session.scalars(ordered.limit(1)).first()
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def account_of(session: Session, consultant_id: int) -> Destination | None:
    """The consultant's account, if it was begun."""
    method_id = offered_method(session).id
    return session.scalars(
        select(Destination).where(
            Destination.consultant_id == consultant_id,
            Destination.method_id == method_id,
            Destination.replaced_at.is_(None),
        )
    ).first()


def begin_account(uow: UnitOfWork, *, consultant_id: int, actor_id: int) -> Destination:
    """The account to be opened, written down first: under its public id it is opened once.

    One that the provider closed or will never pay has a new one in its place, which rests like any change.
    """
    consultant = lock_row(uow, Consultant, consultant_id)
    method = offered_method(uow.session)
    known = destinations.current_locked(uow, consultant_id, method.id)
    if known is not None and not is_dead(known):
        return known
    made = Destination(
        public_id=new_id(),
        consultant_id=consultant_id,
        method_id=method.id,
        label="Stripe",
        country=consultant.person.country,
        ready=False,
        problem="not_complete",
        created_at=uow.clock(),
        usable_at=uow.clock() + destinations.PAUSE,
    )
    return destinations.replace(uow, made, before=known, actor_id=actor_id)


def note_account(uow: UnitOfWork, *, destination_id: int, account: str) -> None:
    """Keep the provider's id of an account that was opened."""
    destination = lock_row(uow, Destination, destination_id)
    if destination.provider_account is None:
        destination.provider_account, destination.label = account, f"Stripe ••{account[-4:]}"
        uow.session.flush()


def is_dead(destination: Destination) -> bool:
    """Whether the provider will never pay there again."""
    problem = destination.problem or ""
    return not destination.ready and (problem in _DEAD or problem.startswith("rejected."))


def note_dead(uow: UnitOfWork, *, destination_id: int) -> None:
    """The provider refused to open it for good, under its key for ever: the next try is a new account."""
    destination = lock_row(uow, Destination, destination_id)
    destination.ready, destination.problem = False, REFUSED
    uow.session.flush()


def to_ask(session: Session, *, now: datetime, limit: int = 500) -> Sequence[str]:
    """The accounts whose news we wait for, the longest unasked first: not ready, or with payouts under way.

    The bank may send a payment back days after it took it.
    """
    under_way = Withdrawal.state.in_(UNDER_WAY)
    fresh = and_(Withdrawal.state == "paid", Withdrawal.settled_at > now - MAY_BOUNCE)
    used = select(Withdrawal.destination_id).where(or_(under_way, fresh))
    opening = and_(Destination.ready.is_(False), Destination.replaced_at.is_(None))
    asked = select(func.max(EventSweep.finished_at)).where(EventSweep.account == Destination.provider_account)
    last = asked.correlate(Destination).scalar_subquery()
    found = (
        select(Destination.provider_account)
        .join(PayoutMethod, PayoutMethod.id == Destination.method_id)
        .where(PayoutMethod.kind == KIND, Destination.provider_account.is_not(None))
        .where(or_(Destination.id.in_(used), opening))
        .order_by(last.asc().nulls_first(), Destination.id)
    )
    return [name for name in session.scalars(found.limit(limit)) if name]


def note_state(uow: UnitOfWork, *, account: str, ready: bool, problem: str, bank: str | None = None) -> None:
    """Keep how an account stands now, and its bank where that is told; payouts that waited for it go on."""
    # Events tell whole seconds: one of this very second is not older than this answer.
    now = uow.clock().replace(microsecond=0)
    if bank is not None:
        banks.bank_told(uow, banks.BankWord(account, bank, told_at=now))
    arrivals.account_changed(uow, arrivals.AccountWord(account, ready, problem, told_at=now))
