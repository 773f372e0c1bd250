"""A consultant's account at a provider: written down before it is opened, ready when the provider says so."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.kernel.ids import new_id
from portal.models import Consultant, Destination, PayoutMethod
from portal.payouts.automatic import arrivals
from portal.payouts.payees import destinations
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

KIND = "stripe"
REFUSED = "refused"
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


def note_state(uow: UnitOfWork, *, account: str, ready: bool, problem: str) -> None:
    """Keep how an account stands now; payouts that waited for it go on."""
    # Events tell whole seconds: one of this very second is not older than this answer.
    now = uow.clock().replace(microsecond=0)
    arrivals.account_changed(uow, arrivals.AccountWord(account, ready, problem, told_at=now))
