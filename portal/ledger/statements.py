"""Reading the books. Needs a session, never a unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from portal.kernel.money import Cents
from portal.ledger.accounts import CURRENCY, AccountKey
from portal.models import Account, Entry, Posting


@dataclass(frozen=True)
class Balances:
    """What the company owes one consultant, in cents: free, held, on its way; and what they owe."""

    available: Cents
    pending: Cents
    reserved: Cents
    debt: Cents


@dataclass(frozen=True)
class Movement:
    """One posting as its consultant sees it: from one purpose to another; company purposes included."""

    entry_id: int
    kind: str
    at: datetime
    cause_type: str | None
    cause_id: int | None
    taken_from: str
    given_to: str
    amount: Cents


def balances(session: Session, consultant_id: int) -> Balances:
    """All balances of a consultant; zero where an account was never opened."""
    rows = session.execute(
        select(Account.purpose, Account.balance).where(
            Account.owner_type == "consultant",
            Account.owner_id == consultant_id,
            Account.currency == CURRENCY,
        )
    )
    found = {purpose: Cents(balance) for purpose, balance in rows}
    zero = Cents(0)
    return Balances(
        available=found.get("available", zero),
        pending=found.get("pending", zero),
        reserved=found.get("reserved", zero),
        debt=found.get("receivable", zero),
    )


def history(
    session: Session,
    consultant_id: int,
    *,
    before_entry: int | None = None,
    limit: int = 30,
    pairs: Sequence[tuple[str, str]] = (),
) -> list[Movement]:
    """The movements of a consultant's newest `limit` entries, newest first; `before_entry` pages on.

    `pairs` of (debited, credited) purposes leave out entries that move nothing between any of them.
    """
    own = list(
        session.scalars(
            select(Account.id).where(Account.owner_type == "consultant", Account.owner_id == consultant_id)
        )
    )
    debit, credit = aliased(Account), aliased(Account)
    moved = (
        select(Posting.entry_id)
        .join(debit, debit.id == Posting.debit_id)
        .join(credit, credit.id == Posting.credit_id)
        .where(or_(Posting.debit_id.in_(own), Posting.credit_id.in_(own)))
    )
    if pairs:
        moved = moved.where(tuple_(debit.purpose, credit.purpose).in_(pairs))
    if before_entry is not None:
        moved = moved.where(Posting.entry_id < before_entry)
    newest = session.scalars(moved.distinct().order_by(Posting.entry_id.desc()).limit(limit)).all()
    return _movements(session, own, newest)


def _movements(session: Session, own: Sequence[int], entry_ids: Sequence[int]) -> list[Movement]:
    debit, credit = aliased(Account), aliased(Account)
    statement = (
        select(Entry, debit.purpose, credit.purpose, Posting.amount_cents)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(debit, debit.id == Posting.debit_id)
        .join(credit, credit.id == Posting.credit_id)
        .where(Entry.id.in_(entry_ids), or_(Posting.debit_id.in_(own), Posting.credit_id.in_(own)))
        .order_by(Entry.id.desc(), Posting.id)
    )
    return [
        Movement(
            entry.id,
            entry.kind,
            entry.created_at,
            entry.cause_type,
            entry.cause_id,
            source,
            target,
            Cents(amount),
        )
        for entry, source, target, amount in session.execute(statement)
    ]


def company_balance(session: Session, key: AccountKey) -> Cents:
    """The balance of a company account, summed now from its postings, on its normal side."""
    account = session.scalar(
        select(Account).where(
            Account.owner_type == key.owner_type,
            Account.owner_id == key.owner_id,
            Account.purpose == key.purpose,
        )
    )
    if account is None:
        return Cents(0)
    debits = session.scalar(select(func.sum(Posting.amount_cents)).where(Posting.debit_id == account.id)) or 0
    credits = (
        session.scalar(select(func.sum(Posting.amount_cents)).where(Posting.credit_id == account.id)) or 0
    )
    return Cents(int(debits - credits) if account.normal == "D" else int(credits - debits))
