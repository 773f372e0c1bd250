"""/earnings: the wallet, its weeks, and withdrawals in three steps."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import to_user_timezone
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.commissions.queries import last_moment
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.kernel.ids import new_id, payout_reference
from portal.kernel.money import Cents, format_money, parse_money
from portal.ledger import statements
from portal.models import Consultant
from portal.payouts import queries as payouts
from portal.payouts import service
from portal.payouts.limits import MAXIMUM, MINIMUM
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request
from portal.wallets import queries, words
from portal.wallets.forms import AmountForm, CheckForm

wallets = Blueprint("wallets", __name__, url_prefix="/earnings")

CHIPS = (Cents(100_00), Cents(250_00))


@wallets.get("")
@requires(permissions.see_own_business)
def earnings() -> Response:
    """Balances, closed weeks, and the history by day."""
    owner = _owner()
    chosen = request.args.get("show", "all")
    chosen = chosen if chosen in queries.SHOWN else "all"
    before = request.args.get("before", type=int)
    page = queries.history_page(db.session(), owner.id, show=chosen, before=before, day_of=_day)
    return show(
        "wallets/earnings.html",
        "history",
        balances=statements.balances(db.session(), owner.id),
        due=payouts.next_release(db.session(), owner.id),
        weeks=queries.closed_weeks(db.session(), owner.id),
        withdrawals=payouts.own_withdrawals(db.session(), owner.id),
        page=page,
        chosen=chosen,
        before=before,
        last_moment=last_moment,
        words=words,
    )


@wallets.get("/weeks/<name>")
@requires(permissions.see_own_business)
def week(name: str) -> Response:
    """The statement of a closed week."""
    found = queries.statement(db.session(), _owner().id, name)
    return show("wallets/week.html", "main", statement=found, last_moment=last_moment, words=words)


@wallets.get("/withdraw")
@requires(permissions.withdraw_own_money)
def withdraw() -> Response:
    """How much; a chip or the address may bring an amount."""
    return _amount_page(AmountForm(formdata=None, amount=_given_amount()))


@wallets.post("/withdraw")
@requires(permissions.withdraw_own_money)
def choose_amount() -> AnyResponse:
    """Check the amount and go on to the check page."""
    form = AmountForm()
    if not form.validate_on_submit():
        return _amount_page(form, status=422)
    try:
        service.check_amount(_cents(form), balances=statements.balances(db.session(), _owner().id))
    except DomainError as refusal:
        form.refuse(refusal)
        return _amount_page(form, status=422)
    return redirect(url_for("wallets.check", amount=form.amount._value()), 303)


@wallets.get("/withdraw/check")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def check() -> AnyResponse:
    """What will happen, with the amount in the button."""
    amount = _given_amount()
    if amount is None:
        return redirect(url_for("wallets.withdraw"), 303)
    balances = statements.balances(db.session(), _owner().id)
    try:
        service.check_amount(amount, balances=balances)
    except DomainError:
        return redirect(url_for("wallets.withdraw", amount=format_money(amount)), 303)
    form = CheckForm(formdata=None, amount=amount, key=new_id())
    return show("wallets/check.html", "main", form=form, amount=amount, balances=balances)


@wallets.post("/withdraw/check")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def create_withdrawal() -> AnyResponse:
    """Ask for the withdrawal; the same form sent twice asks once."""
    form = CheckForm()
    if not form.validate_on_submit():
        return _amount_page(form, status=422)
    owner_id, actor_id, amount, key = _owner().id, current_user.id, _cents(form), form.key.data
    try:
        public_id = perform(
            lambda uow: (
                service.request_withdrawal(
                    uow, consultant_id=owner_id, amount=amount, key=key, actor_id=actor_id
                ).public_id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _amount_page(form, status=refusal.status)
    return redirect(url_for("wallets.withdrawal", public_id=public_id), 303)


@wallets.get("/withdrawals/<public_id>")
@requires(permissions.see_own_business)
def withdrawal(public_id: str) -> Response:
    """One withdrawal: where it is, and calling it off while nobody decided."""
    found = payouts.own_withdrawal(db.session(), _owner().id, public_id)
    reference = payout_reference(found.id)
    return show("wallets/withdrawal.html", "status", found=found, reference=reference, words=words)


@wallets.post("/withdrawals/<public_id>/cancel")
@requires(permissions.withdraw_own_money)
def cancel(public_id: str) -> AnyResponse:
    """Call it off."""
    owner_id, actor_id = _owner().id, current_user.id
    row_id = payouts.own_withdrawal(db.session(), owner_id, public_id).id
    try:
        perform(
            lambda uow: (
                service.cancel_withdrawal(
                    uow, withdrawal_id=row_id, consultant_id=owner_id, actor_id=actor_id
                )
                and None
            )
        )
    except DomainError as refusal:
        flash(refusal.message, "bad")
    else:
        flash(_("The withdrawal is called off. The money is available again."), "ok")
    return redirect(url_for("wallets.withdrawal", public_id=public_id), 303)


def _amount_page(form: AmountForm, *, status: int = 200) -> Response:
    free = statements.balances(db.session(), _owner().id)
    chips = [chip for chip in CHIPS if chip < free.available]
    limits = (MINIMUM, MAXIMUM)
    page = "wallets/withdraw.html"
    return show(page, "form", status=status, form=form, balances=free, chips=chips, limits=limits)


def _owner() -> Consultant:
    return queries.wallet_owner(db.session(), current_user.person_id)


def _cents(form: AmountForm) -> Cents:
    assert form.amount.data is not None, "a form that is right has an amount"
    return form.amount.data


def _given_amount() -> Cents | None:
    try:
        return parse_money(request.args["amount"]) if "amount" in request.args else None
    except BadInput:
        return None


def _day(instant: datetime) -> date:
    local: datetime = to_user_timezone(instant)
    return local.date()
