"""Where consultants are paid. Changed details are a new row, and rest for 72 hours before they are used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, NotYours
from portal.kernel.facts import PayeeChanged
from portal.kernel.ids import new_id
from portal.models import Consultant, Destination, PayoutMethod
from portal.payouts.payees import numbers
from portal.store.locks import lock_row, lock_where
from portal.store.unit_of_work import UnitOfWork

PAUSE: Final = timedelta(hours=72)
ACCOUNT_TYPES: Final = ("checking", "savings")
BANK_KINDS: Final = ("file", "nacha", "http")
LONGEST_HOLDER: Final = 100


@dataclass(frozen=True)
class BankDetails:
    """A bank account in the United States."""

    holder: str
    routing: str
    account: str
    type: str


def checked(details: BankDetails) -> BankDetails:
    """The details without spaces and dashes; raises `BadInput` naming the field that is not right."""
    holder = " ".join(details.holder.split())
    if not holder or len(holder) > LONGEST_HOLDER:
        raise BadInput("Please write the name that the bank knows.", field="holder")
    if details.type not in ACCOUNT_TYPES:
        raise BadInput("Please choose checking or savings.", field="type")
    routing, account = numbers.routing_number(details.routing), numbers.account_number(details.account)
    return BankDetails(holder, routing, account, details.type)


def save_bank(
    uow: UnitOfWork, details: BankDetails, *, consultant_id: int, method_id: int, actor_id: int
) -> Destination:
    """Keep a bank account as the destination of one method; the same details again change nothing.

    Raises `BadInput` naming the field that is not right, `NotYours` for a method that is not offered.
    """
    method = lock_row(uow, PayoutMethod, method_id)
    if not method.enabled or method.kind not in BANK_KINDS:
        raise NotYours("There is nothing here under this address.")
    right = checked(details)
    # The row of the consultant lets two changes of one person wait for each other.
    consultant = lock_row(uow, Consultant, consultant_id)
    sealed = json.dumps(asdict(right))
    before = current_locked(uow, consultant_id, method_id)
    if before is not None and before.details == sealed:
        return before
    now = uow.clock()
    made = Destination(
        public_id=new_id(),
        consultant_id=consultant_id,
        method_id=method_id,
        label=numbers.masked(right.account),
        details=sealed,
        country=consultant.person.country,
        ready=True,
        created_at=now,
        usable_at=now + PAUSE,
    )
    return replace(uow, made, before=before, actor_id=actor_id)


def replace(
    uow: UnitOfWork, made: Destination, *, before: Destination | None, actor_id: int | None
) -> Destination:
    """Put a destination in the place of the one before, and tell its owner by mail at once."""
    if before is not None:
        before.replaced_at = uow.clock()
        uow.session.flush()
    uow.session.add(made)
    uow.session.flush()
    uow.note("destination.change", thing="payout_destination", thing_id=made.id, actor_id=actor_id)
    uow.publish(PayeeChanged(made.id), key=f"payee.changed:{made.id}")
    return made


def current_locked(uow: UnitOfWork, consultant_id: int, method_id: int) -> Destination | None:
    """The destination that counts, locked."""
    return lock_where(
        uow,
        Destination,
        Destination.consultant_id == consultant_id,
        Destination.method_id == method_id,
        Destination.replaced_at.is_(None),
    )


def details_of(destination: Destination) -> BankDetails | None:
    """The bank account behind a destination, unsealed; None where a provider keeps it."""
    return BankDetails(**json.loads(destination.details)) if destination.details else None


def destinations_of(session: Session, consultant_id: int) -> Sequence[Destination]:
    """Where a consultant can be paid by the methods on offer, in the order of the methods."""
    return (
        session.scalars(
            select(Destination)
            .join(PayoutMethod, PayoutMethod.id == Destination.method_id)
            .where(
                Destination.consultant_id == consultant_id,
                Destination.replaced_at.is_(None),
                PayoutMethod.enabled,
            )
            .order_by(PayoutMethod.position, PayoutMethod.id)
        )
        .unique()
        .all()
    )


def own_destination(session: Session, consultant_id: int, public_id: str) -> Destination:
    """A consultant's own destination that counts; raises `NotYours` for any other."""
    found = [each for each in destinations_of(session, consultant_id) if each.public_id == public_id]
    if not found:
        raise NotYours("There is nothing here under this address.")
    return found[0]


def preferred(session: Session, consultant_id: int) -> Destination | None:
    """Where somebody is paid who did not choose: the first that is ready, else the first."""
    found = destinations_of(session, consultant_id)
    return next((each for each in found if each.ready), found[0] if found else None)
