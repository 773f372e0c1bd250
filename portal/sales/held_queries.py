"""Reads of held sales: for those who settle them, and for the consultant who waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.models import AccountUser, Consultant, HeldSale, Person
from portal.sales.holding import HELD, REFUSED

MOST = 50
SHOWN_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Held:
    """One held sale with who sold it; `settled_by` is a name or empty."""

    sale: HeldSale
    consultant: Consultant
    settled_by: str = ""


def waiting(session: Session, *, after: int | None = None) -> list[Held]:
    """What is held, the longest first, at most 50; those with an id beyond `after`."""
    of_all = select(HeldSale, Consultant).join(Consultant, Consultant.id == HeldSale.consultant_id)
    wanted = of_all.where(HeldSale.state == HELD, HeldSale.id > (after or 0))
    return [Held(*row) for row in session.execute(wanted.order_by(HeldSale.id).limit(MOST)).unique()]


def settled(session: Session) -> list[Held]:
    """What was settled last."""
    rows = session.execute(
        select(HeldSale, Consultant, Person.name)
        .join(Consultant, Consultant.id == HeldSale.consultant_id)
        .outerjoin(AccountUser, AccountUser.id == HeldSale.settled_by)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .where(HeldSale.state != HELD)
        .order_by(HeldSale.settled_at.desc(), HeldSale.id.desc())
        .limit(20)
    )
    return [Held(sale, consultant, name or "") for sale, consultant, name in rows.unique()]


def one(session: Session, public_id: str) -> Held:
    """One held sale. Raises `NotYours`."""
    row = session.execute(
        select(HeldSale, Consultant, Person.name)
        .join(Consultant, Consultant.id == HeldSale.consultant_id)
        .outerjoin(AccountUser, AccountUser.id == HeldSale.settled_by)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .where(HeldSale.public_id == public_id)
    ).unique()
    found = row.one_or_none()
    if found is None:
        raise NotYours("There is no such held sale.")
    return Held(found[0], found[1], found[2] or "")


def own(
    session: Session,
    consultant: Consultant,
    *,
    now: datetime,
    limit: int = 10,
    refused_for: timedelta = SHOWN_FOR,
) -> list[Held]:
    """A consultant's own sales that earn nothing: held, or refused lately; newest first."""
    refused = (HeldSale.state == REFUSED) & (HeldSale.settled_at > now - refused_for)
    mine = select(HeldSale).where(HeldSale.consultant_id == consultant.id, (HeldSale.state == HELD) | refused)
    rows = session.scalars(mine.order_by(HeldSale.id.desc()).limit(limit)).unique()
    return [Held(sale, consultant) for sale in rows]


def sums(session: Session) -> tuple[int, int, int]:
    """How many sales are held, and their volume (hundredths) and revenue (cents)."""
    volume, revenue = func.sum(HeldSale.volume), func.sum(HeldSale.revenue_cents)
    asked = select(func.count(HeldSale.id), func.coalesce(volume, 0), func.coalesce(revenue, 0))
    number, held_volume, held_revenue = session.execute(asked.where(HeldSale.state == HELD)).one()
    return number, int(held_volume), int(held_revenue)
