"""What the law asks in a year, and how much of it one consultant was paid."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.money import Cents, round_half_away
from portal.models import TaxYear, Withdrawal
from portal.payouts.payees.shipped import TAX_YEARS

NOT_PAID = ("rejected", "cancelled", "failed", "returned")


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


def start_of(now: datetime) -> datetime:
    """The first instant of the year of `now`, in UTC."""
    return datetime(now.astimezone(UTC).year, 1, 1, tzinfo=UTC)
