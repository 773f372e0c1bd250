"""What the law asks in a year, and how much of it one consultant was paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.money import Cents, round_half_away
from portal.models import TaxYear, Withdrawal
from portal.payouts.payees.shipped import TAX_YEARS
from portal.store.locks import advisory
from portal.store.unit_of_work import UnitOfWork

NOT_PAID = ("rejected", "cancelled", "failed", "returned")
YEARS_AHEAD = 5
HIGHEST_RATE = 5_000
LONGEST_SOURCE = 300


@dataclass(frozen=True)
class Asked:
    """What the law asks in a year: the rate in ten-thousandths, sums in cents, and where that is written."""

    year: int
    withholding_rate: int
    reporting_from_cents: int
    form_needed_from_cents: int
    source: str


def save(uow: UnitOfWork, asked: Asked, *, actor_id: int) -> TaxYear:
    """Add a year, or change one that has not begun: what was withheld stays explained by its year.

    Raises `BadInput` naming the field that cannot be, `Conflict` for a known year that has begun.
    """
    this_year = uow.clock().astimezone(UTC).year
    _check(asked, this_year)
    advisory(uow, "tax years")
    found = uow.session.get(TaxYear, asked.year)
    if found is not None and asked.year <= this_year:
        raise Conflict(f"{asked.year} has begun and stays as it is.", field="year")
    if found is None:
        uow.session.add(TaxYear(**vars(asked)))
    else:
        for name, value in vars(asked).items():
            setattr(found, name, value)
    rules = {name: value for name, value in vars(asked).items() if name != "source"}
    action = "tax_year.add" if found is None else "tax_year.change"
    uow.note(action, thing="tax_year", thing_id=asked.year, actor_id=actor_id, **rules)
    uow.session.flush()
    return uow.session.get_one(TaxYear, asked.year)


def rules_of(session: Session, year: int) -> TaxYear:
    """The rules of a year: its own, else those of the last year before it that is known or was shipped."""
    known = session.scalar(select(TaxYear).where(TaxYear.year <= year).order_by(TaxYear.year.desc()).limit(1))
    shipped = [row for row in TAX_YEARS if row["year"] <= year] or list(TAX_YEARS)
    return known or TaxYear(**shipped[-1])


def years(session: Session) -> list[TaxYear]:
    """All known years, newest first."""
    return list(session.scalars(select(TaxYear).order_by(TaxYear.year.desc())))


def asked_this_year(session: Session, consultant_id: int, *, now: datetime) -> Cents:
    """What was paid or is on its way of what was asked for in this year (UTC), before fees and tax."""
    total = session.scalar(
        select(func.coalesce(func.sum(Withdrawal.amount_cents), 0)).where(
            Withdrawal.consultant_id == consultant_id,
            Withdrawal.requested_at >= start_of(now),
            Withdrawal.state.not_in(NOT_PAID),
        )
    )
    return Cents(int(total or 0))


def needs_form(rules: TaxYear, *, total: int) -> bool:
    """Whether somebody who is paid `total` cents in the year has to sign a tax form first."""
    return total >= rules.form_needed_from_cents


def withheld_of(amount: int, rules: TaxYear) -> Cents:
    """The backup withholding of an amount, in cents."""
    return Cents(round_half_away(amount * rules.withholding_rate, 10_000))


def _check(asked: Asked, this_year: int) -> None:
    latest = this_year + YEARS_AHEAD
    if not this_year <= asked.year <= latest:
        raise BadInput(f"Please choose a year from {this_year} to {latest}.", field="year")
    if not 0 <= asked.withholding_rate <= HIGHEST_RATE:
        raise BadInput("Please write a rate from 0 to 50 %.", field="withholding_rate")
    for name in ("reporting_from_cents", "form_needed_from_cents"):
        if getattr(asked, name) < 0:
            raise BadInput("Please write an amount of 0 or more.", field=name)
    if not asked.source or len(asked.source) > LONGEST_SOURCE:
        raise BadInput("Please name the law, in up to 300 letters.", field="source")


def start_of(now: datetime) -> datetime:
    """The first instant of the year of `now`, in UTC."""
    return datetime(now.astimezone(UTC).year, 1, 1, tzinfo=UTC)
