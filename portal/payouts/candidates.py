"""Whom the company could pay, with what each would get, or why not. Read set by set, for any number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import DomainError
from portal.kernel.money import Cents, format_money
from portal.ledger.accounts import CURRENCY
from portal.models import (
    Account,
    Consultant,
    Destination,
    PayoutMethod,
    Person,
    TaxForm,
    TaxYear,
    Withdrawal,
)
from portal.payouts.own import own_consultants
from portal.payouts.payees import tax_years
from portal.payouts.payees.methods import fee_of
from portal.payouts.terms import Terms, refuse_destination, refuse_while_resting

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Criteria:
    """Whom to look for; `minimum` in cents, empty texts and None ask for nothing.

    `tax_form` is any, valid or missing. `paid_before` finds who was not paid since that day.
    """

    minimum: int = 1
    pack: str = ""
    method: str = ""
    country: str = ""
    tax_form: str = "any"
    paid_before: date | None = None


@dataclass(frozen=True)
class Candidate:
    """Somebody with money; `terms` where it can be paid, else the `reason` why not."""

    consultant_id: int
    balance: int
    destination: Destination | None
    terms: Terms | None
    reason: str = ""


@dataclass
class _Read:
    """What is known of some consultants."""

    now: datetime
    rules: TaxYear
    destinations: dict[int, list[Destination]] = field(default_factory=dict)
    forms: dict[int, bool] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    paid: dict[int, datetime] = field(default_factory=dict)
    today: dict[tuple[int, int], int] = field(default_factory=dict)
    caps: dict[int, int] = field(default_factory=dict)


def owners_of(session: Session, criteria: Criteria, *, actor_id: int) -> list[Sequence[int]]:
    """Consultants with enough free money, a thousand at a time; without the wallet of who acts."""
    question = (
        select(Account.owner_id)
        .join(Consultant, Consultant.id == Account.owner_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(
            Account.owner_type == "consultant",
            Account.purpose == "available",
            Account.currency == CURRENCY,
            Account.balance >= max(criteria.minimum, 1),
            Account.owner_id.not_in(own_consultants(actor_id)),
        )
        .order_by(Account.owner_id)
    )
    if criteria.pack:
        question = question.where(Consultant.pack == criteria.pack)
    if criteria.country:
        question = question.where(Person.country == criteria.country)
    owners = session.scalars(question).all()
    return [owners[start : start + _AT_ONCE] for start in range(0, len(owners), _AT_ONCE)]


def candidates(
    session: Session,
    owners: Sequence[int],
    criteria: Criteria,
    *,
    now: datetime,
    caps: dict[int, int] | None = None,
) -> list[Candidate]:
    """What each of up to a thousand owners would get; who does not fit the criteria is left out.

    `caps` are amounts in cents that are not exceeded.
    """
    read = _read(session, owners, now)
    read.caps = caps or {}
    found = []
    for owner, balance in _balances(session, owners):
        if _fits(owner, criteria, read):
            found.append(_judged(owner, balance, criteria, read))
    return found


def _judged(owner: int, balance: int, criteria: Criteria, read: _Read) -> Candidate:
    place = _place(read.destinations[owner], criteria) if owner in read.destinations else None
    if place is None:
        return Candidate(owner, balance, None, None, "No way to be paid is set up.")
    try:
        refuse_destination(place)
        refuse_while_resting(place, now=read.now)
    except DomainError as refusal:
        return Candidate(owner, balance, place, None, refusal.message)
    total = read.asked.get(owner, 0) + balance
    if owner not in read.forms and tax_years.needs_form(read.rules, total=total):
        return Candidate(owner, balance, place, None, "No valid tax form is signed.")
    return _priced(owner, balance, place, read)


def _priced(owner: int, balance: int, place: Destination, read: _Read) -> Candidate:
    method = place.method
    left_today = method.daily_limit_cents - read.today.get((owner, method.id), 0)
    amount = Cents(min(balance, method.maximum_cents, left_today, read.caps.get(owner, balance)))
    if amount < method.minimum_cents:
        least = format_money(method.minimum_cents)
        reason = f"Less than {least} can be paid by {method.name} today; that is its smallest amount."
        return Candidate(owner, balance, place, None, reason)
    withheld = tax_years.withheld_of(amount, read.rules) if read.forms.get(owner) else Cents(0)
    terms = Terms(amount, fee_of(method, amount), withheld)
    if terms.net <= 0:
        return Candidate(owner, balance, place, None, "Fee and tax would eat up the amount.")
    return Candidate(owner, balance, place, terms)


def _place(places: list[Destination], criteria: Criteria) -> Destination | None:
    fitting = [place for place in places if criteria.method in ("", place.method.code)]
    return next((place for place in fitting if place.ready), fitting[0] if fitting else None)


def _fits(owner: int, criteria: Criteria, read: _Read) -> bool:
    if criteria.method and _place(read.destinations.get(owner, []), criteria) is None:
        return False
    if criteria.tax_form != "any" and (owner in read.forms) != (criteria.tax_form == "valid"):
        return False
    last = read.paid.get(owner)
    return criteria.paid_before is None or last is None or last.date() < criteria.paid_before


def _balances(session: Session, owners: Sequence[int]) -> list[tuple[int, int]]:
    rows = session.execute(
        select(Account.owner_id, Account.balance)
        .where(
            Account.owner_type == "consultant",
            Account.purpose == "available",
            Account.currency == CURRENCY,
            Account.owner_id.in_(owners),
        )
        .order_by(Account.owner_id)
    )
    return [(owner, balance) for owner, balance in rows]


def _read(session: Session, owners: Sequence[int], now: datetime) -> _Read:
    read = _Read(now, tax_years.rules_of(session, now.year))
    for place in session.scalars(_destinations(owners)).unique():
        read.destinations.setdefault(place.consultant_id, []).append(place)
    forms = select(TaxForm.consultant_id, TaxForm.backup_withholding)
    valid = forms.where(TaxForm.consultant_id.in_(owners), TaxForm.state == "valid")
    read.forms = dict(iter(session.execute(valid)))
    live = Withdrawal.state.not_in(tax_years.NOT_PAID)
    total = func.sum(Withdrawal.amount_cents)
    this_year = select(Withdrawal.consultant_id, total).where(
        Withdrawal.consultant_id.in_(owners), live, Withdrawal.requested_at >= tax_years.start_of(now)
    )
    grouped = this_year.group_by(Withdrawal.consultant_id)
    read.asked = {owner: int(cents) for owner, cents in session.execute(grouped)}
    settled = select(Withdrawal.consultant_id, func.max(Withdrawal.settled_at)).where(
        Withdrawal.consultant_id.in_(owners), Withdrawal.state.in_(("paid", "sent"))
    )
    read.paid = {owner: at for owner, at in session.execute(settled.group_by(Withdrawal.consultant_id)) if at}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = select(Withdrawal.consultant_id, Withdrawal.method_id, total).where(
        Withdrawal.consultant_id.in_(owners), live, Withdrawal.requested_at >= midnight
    )
    by_method = today.group_by(Withdrawal.consultant_id, Withdrawal.method_id)
    read.today = {
        (owner, method): int(cents) for owner, method, cents in session.execute(by_method) if method
    }
    return read


def _destinations(owners: Sequence[int]) -> Select[Destination]:
    return (
        select(Destination)
        .join(PayoutMethod, PayoutMethod.id == Destination.method_id)
        .where(
            Destination.consultant_id.in_(owners),
            Destination.replaced_at.is_(None),
            PayoutMethod.enabled,
        )
        .order_by(PayoutMethod.position, PayoutMethod.id)
    )
