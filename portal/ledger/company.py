"""The company's side of the books: every account with its balance, and what stands behind one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.kernel.errors import NotYours
from portal.ledger.accounts import COMPANY_PURPOSES, CONSULTANT_PURPOSES, CURRENCY
from portal.ledger.entries import names_of
from portal.models import Account, Entry, Posting

OWNERS = ("consultant", "company")


@dataclass(frozen=True)
class Standing:
    """A line of the trial balance: an account of the company, or all consultants' accounts of one purpose.

    `balance` is in cents on the account's own side; `debit` and `credit` are all that was ever booked there.
    """

    owner_type: str
    purpose: str
    normal: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        return self.debit - self.credit if self.normal == "D" else self.credit - self.debit


@dataclass(frozen=True)
class Booking:
    """A posting as one account sees it; `change` in cents, above 0 where the account grows by it."""

    posting_id: int
    entry_id: int
    kind: str
    at: datetime
    other: str
    owner: str
    change: int


def trial_balance(session: Session, *, month: int | None = None) -> list[Standing]:
    """Every account there is, summed now from its postings; debits and credits come to the same.

    Of all months, or of one (year × 100 + month) alone.
    """
    side = select(Posting.debit_id.label("account_id"), Posting.amount_cents.label("debit"))
    other = select(Posting.credit_id, -Posting.amount_cents)
    if month is not None:
        side, other = (each.join(Entry).where(Entry.period_id == month) for each in (side, other))
    sides = side.union_all(other).subquery()
    rows = session.execute(
        select(
            Account.owner_type,
            Account.purpose,
            func.coalesce(func.sum(case((sides.c.debit > 0, sides.c.debit), else_=0)), 0),
            func.coalesce(func.sum(case((sides.c.debit < 0, -sides.c.debit), else_=0)), 0),
        )
        .join(sides, sides.c.account_id == Account.id)
        .where(Account.currency == CURRENCY)
        .group_by(Account.owner_type, Account.purpose)
    )
    found = {(owner, purpose): (int(debit), int(credit)) for owner, purpose, debit, credit in rows}
    return [
        Standing(owner, purpose, rules.normal, *found.get((owner, purpose), (0, 0)))
        for owner, purposes in zip(OWNERS, (CONSULTANT_PURPOSES, COMPANY_PURPOSES), strict=True)
        for purpose, rules in purposes.items()
    ]


def bookings(
    session: Session, line: tuple[str, str], *, month: int | None, before: int | None, limit: int
) -> Sequence[Booking]:
    """The postings of a line, (owner type, purpose), newest first; of one month (year × 100 + month) or all.

    Raises `NotYours` for an account that is not in the chart.
    """
    owner_type, purpose = line
    chart = {"consultant": CONSULTANT_PURPOSES, "company": COMPANY_PURPOSES}.get(owner_type, {})
    if purpose not in chart:
        raise NotYours("There is no such account.")
    debit, credit = aliased(Account), aliased(Account)
    ours = [(side.owner_type == owner_type) & (side.purpose == purpose) for side in (debit, credit)]
    question = (
        select(Posting, Entry, debit, credit)
        .join(Entry, Entry.id == Posting.entry_id)
        .join(debit, debit.id == Posting.debit_id)
        .join(credit, credit.id == Posting.credit_id)
        .where(or_(*ours))
        .order_by(Posting.id.desc())
        .limit(limit)
    )
    if month is not None:
        question = question.where(Entry.period_id == month)
    if before is not None:
        question = question.where(Posting.id < before)
    rows = session.execute(question).all()
    people = [side.owner_id for row in rows for side in row[2:] if side.owner_type == "consultant"]
    names = names_of(session, people)
    return [_booking(posting, entry, sides, line, names) for posting, entry, *sides in rows]


def _booking(
    posting: Posting, entry: Entry, sides: list[Account], line: tuple[str, str], names: dict[int, str]
) -> Booking:
    debit, credit = sides
    debited = (debit.owner_type, debit.purpose) == line
    this, other = (debit, credit) if debited else (credit, debit)
    grows = (this.normal == "D") == debited
    person = this if this.owner_type == "consultant" else other
    owner = names.get(person.owner_id, "") if person.owner_type == "consultant" else ""
    amount = posting.amount_cents if grows else -posting.amount_cents
    return Booking(posting.id, entry.id, entry.kind, entry.created_at, other.purpose, owner, amount)
