"""What a withdrawal costs and whether it may be: method, destination, tax form and limits, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.clock import stamped
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.money import Cents, format_money
from portal.models import Destination, PayoutMethod, TaxForm, Withdrawal
from portal.payouts.payees import tax_forms, tax_years
from portal.payouts.payees.methods import fee_of
from portal.payouts.payees.tax_years import NOT_PAID

NO_FORM = "Please sign your tax form first. It takes two minutes."


@dataclass(frozen=True)
class Terms:
    """What becomes of `amount`, in cents: the fee, the tax withheld, and what arrives."""

    amount: Cents
    fee: Cents
    withheld: Cents

    @property
    def net(self) -> Cents:
        return Cents(self.amount - self.fee - self.withheld)


def terms_of(session: Session, destination: Destination, amount: Cents, *, now: datetime) -> Terms:
    """The terms under which a consultant is paid `amount` there.

    Raises `BadInput` naming the field: below or above the method's limits, over the limit of a day, a
    destination that cannot be paid, no tax form where one is needed, nothing left after fee and tax.
    """
    method = destination.method
    refuse_destination(destination)
    _check_limits(method, amount)
    spent = asked_today(session, destination.consultant_id, method.id, now=now)
    if spent + amount > method.daily_limit_cents:
        rest = format_money(max(method.daily_limit_cents - spent, 0))
        limit = format_money(method.daily_limit_cents)
        raise BadInput(f"{method.name}: {limit} a day at most, {rest} of it is left today.", field="amount")
    form = demand_form(session, destination.consultant_id, amount=amount, now=now)
    return deducted(session, method, amount, form=form, now=now)


def deducted(
    session: Session, method: PayoutMethod, amount: Cents, *, form: TaxForm | None, now: datetime
) -> Terms:
    """The amount with fee and tax; raises `BadInput` when nothing would arrive."""
    rules = tax_years.rules_of(session, now.year)
    withheld = tax_years.withheld_of(amount, rules) if form and form.backup_withholding else Cents(0)
    terms = Terms(amount, fee_of(method, amount), withheld)
    if terms.net <= 0:
        raise BadInput("Fee and tax would eat up this amount.", field="amount")
    return terms


def demand_form(session: Session, consultant_id: int, *, amount: int, now: datetime) -> TaxForm | None:
    """The valid tax form; None where none is needed yet, `BadInput` where one is."""
    form = tax_forms.valid_form(session, consultant_id)
    if form is not None:
        return form
    rules = tax_years.rules_of(session, now.year)
    total = tax_years.asked_this_year(session, consultant_id, now=now) + amount
    if tax_years.needs_form(rules, total=total):
        raise BadInput(NO_FORM, field="tax_form")
    return None


def refuse_destination(destination: Destination) -> None:
    """Go on only with a destination that can be paid at all; raises `BadInput`."""
    method = destination.method
    if not method.enabled:
        raise BadInput(f"{method.name} is not offered any more. Please choose another way.", field="method")
    if destination.replaced_at is not None:
        raise BadInput("These details were changed meanwhile. Please choose again.", field="method")
    if not destination.ready:
        problem = destination.problem or "not all is known that is needed"
        raise BadInput(f"{method.name} cannot pay you yet: {problem}.", field="method")
    if destination.country not in method.countries:
        raise BadInput(f"{method.name} does not pay to {destination.country}.", field="method")


def refuse_while_resting(destination: Destination, *, now: datetime) -> None:
    """Go on only when new details have rested; raises `Conflict` that says until when, as an instant."""
    if now < destination.usable_at:
        until = stamped(destination.usable_at)
        raise Conflict(f"These payment details are new. Money may go there from {until} on.")


def asked_today(session: Session, consultant_id: int, method_id: int, *, now: datetime) -> Cents:
    """What a consultant asked for today (UTC) by one method, without what came back."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    total = session.scalar(
        select(func.coalesce(func.sum(Withdrawal.amount_cents), 0)).where(
            Withdrawal.consultant_id == consultant_id,
            Withdrawal.method_id == method_id,
            Withdrawal.requested_at >= midnight,
            Withdrawal.state.not_in(NOT_PAID),
        )
    )
    return Cents(int(total or 0))


def _check_limits(method: PayoutMethod, amount: int) -> None:
    if amount < method.minimum_cents:
        raise BadInput(f"The smallest withdrawal is {format_money(method.minimum_cents)}.", field="amount")
    if amount > method.maximum_cents:
        raise BadInput(f"The largest withdrawal is {format_money(method.maximum_cents)}.", field="amount")
