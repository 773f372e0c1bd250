"""What a provider is asked to do for a withdrawal: frozen at approval, the same at every try."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.extensions import seal
from portal.kernel.ids import payout_reference
from portal.models import Consultant, Destination, PayoutAttempt, Person, Withdrawal


@dataclass(frozen=True)
class Order:
    """One payout in plain values. `attempt_id` 0 is a question, not an attempt; `ref` what is known of it."""

    withdrawal_id: int
    attempt_id: int
    generation: int
    group: str
    amount_cents: int
    currency: str
    destination: str
    payee: str
    reference: str
    details: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""

    @property
    def key(self) -> str:
        """The idempotency key of this generation."""
        return key_of(self.group, self.generation)

    def fingerprint(self) -> str:
        """A keyed hash of all that decides where how much money goes; it tells no bank number."""
        content = [self.group, self.amount_cents, self.currency, self.destination, dict(self.details)]
        return seal.mark(json.dumps(content, sort_keys=True))


def group_of(public_id: str) -> str:
    """How a withdrawal is called at a provider, for ever."""
    return f"po_{public_id}"


def public_id_of(group: str) -> str:
    """The withdrawal behind a provider's name of it; empty for a name that is not ours."""
    return group.removeprefix("po_") if group.startswith("po_") else ""


def key_of(group: str, generation: int) -> str:
    """The idempotency key: one for each generation, made from nothing that a try could change."""
    return f"{group}_g{generation}"


def order_of(session: Session, withdrawal: Withdrawal, *, attempt_id: int = 0) -> Order:
    """The order for a withdrawal that has a destination."""
    destination = session.get_one(Destination, withdrawal.destination_id)
    owner = select(Person.name).join(Consultant, Consultant.person_id == Person.id)
    payee = session.scalars(owner.where(Consultant.id == withdrawal.consultant_id)).one()
    details = json.loads(destination.details) if destination.details else {}
    return Order(
        withdrawal_id=withdrawal.id,
        attempt_id=attempt_id,
        generation=withdrawal.generation,
        group=group_of(withdrawal.public_id),
        amount_cents=withdrawal.net_cents,
        currency=withdrawal.currency,
        destination=destination.provider_account or destination.public_id,
        payee=details.get("holder") or payee,
        reference=payout_reference(withdrawal.id),
        details=details,
        ref=withdrawal.provider_ref or "",
    )


def attempts_of(
    session: Session, withdrawal_id: int, *, generation: int | None = None
) -> list[PayoutAttempt]:
    """The attempts for a withdrawal, oldest first."""
    wanted = select(PayoutAttempt).where(PayoutAttempt.withdrawal_id == withdrawal_id)
    if generation is not None:
        wanted = wanted.where(PayoutAttempt.generation == generation)
    return list(session.scalars(wanted.order_by(PayoutAttempt.number)))
