"""/earnings/withdraw: the amount and the way, the check page, and what became of it."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, DomainError, NotYours
from portal.kernel.ids import new_id, payout_reference
from portal.kernel.money import Cents, format_money, parse_money
from portal.ledger import statements
from portal.models import Destination
from portal.payouts import queries as payouts
from portal.payouts import service
from portal.payouts.payees import destinations, methods
from portal.payouts.terms import Terms
from portal.store import perform
from portal.ui import bookings, show
from portal.ui.htmx import request
from portal.wallets import words
from portal.wallets.forms import AmountForm, CheckForm
from portal.wallets.room import owner, wallets

CHIPS = (Cents(100_00), Cents(250_00))


@wallets.get("/withdraw")
@requires(permissions.withdraw_own_money)
def withdraw() -> Response:
    """How much and how; a chip or the address may bring both."""
    return _amount_page(AmountForm(formdata=None, amount=_given_amount(), method=request.args.get("to")))


@wallets.post("/withdraw")
@requires(permissions.withdraw_own_money)
def choose_amount() -> AnyResponse:
    """Check the amount and go on to the check page."""
    form = AmountForm()
    if not form.validate_on_submit():
        return _amount_page(form, status=422)
    try:
        place = _place(form.method.data)
        _terms(place, _cents(form))
    except DomainError as refusal:
        form.refuse(refusal)
        return _amount_page(form, status=422)
    return redirect(url_for("wallets.check", amount=form.amount._value(), to=place.public_id), 303)


@wallets.get("/withdraw/check")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def check() -> AnyResponse:
    """What will happen, with the amount in the button."""
    amount, to = _given_amount(), request.args.get("to", "")
    if amount is None:
        return redirect(url_for("wallets.withdraw"), 303)
    try:
        place = _place(to)
        terms = _terms(place, amount)
    except DomainError:
        return redirect(url_for("wallets.withdraw", amount=format_money(amount), to=to or None), 303)
    form = CheckForm(formdata=None, amount=amount, method=place.public_id, key=new_id())
    return show(
        "wallets/check.html",
        "main",
        form=form,
        terms=terms,
        place=place,
        resting=utc_now() < place.usable_at,
        automatic=place.method.kind in methods.AUTOMATIC_KINDS,
        balances=statements.balances(db.session(), owner().id),
    )


@wallets.post("/withdraw/check")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def create_withdrawal() -> AnyResponse:
    """Ask for the withdrawal; the same form sent twice asks once."""
    form = CheckForm()
    if not form.validate_on_submit():
        return _amount_page(form, status=422)
    actor_id, amount, key = current_user.id, _cents(form), form.key.data
    try:
        place_id = _place(form.method.data).id
        public_id = perform(
            lambda uow: (
                service.request_to(
                    uow, destination_id=place_id, amount=amount, key=key, actor_id=actor_id
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
    found = payouts.own_withdrawal(db.session(), owner().id, public_id)
    place, now = payouts.destination_of(db.session(), found), utc_now()
    return show(
        "wallets/withdrawal.html",
        "status",
        found=found,
        place=place,
        resting=place is not None and now < place.usable_at and words.is_under_way(found),
        reference=payout_reference(found.id),
        entries=payouts.entries_of(db.session(), [found])[found.id],
        bookings=bookings,
        steps=words.steps_of(found, place, now=now),
        words=words,
    )


@wallets.post("/withdrawals/<public_id>/cancel")
@requires(permissions.withdraw_own_money)
def cancel(public_id: str) -> AnyResponse:
    """Call it off."""
    owner_id, actor_id = owner().id, current_user.id
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
    session, owner_id = db.session(), owner().id
    free = statements.balances(session, owner_id)
    places = destinations.destinations_of(session, owner_id)
    form.offer(places)
    chosen = next((place for place in places if place.public_id == form.method.data), None)
    return show(
        "wallets/withdraw.html",
        "form",
        status=status,
        form=form,
        balances=free,
        places=places,
        now=utc_now(),
        missing=payouts.missing_for_payment(session, owner_id, now=utc_now()),
        most=min(chosen.method.maximum_cents, free.available) if chosen else 0,
        least=min((place.method.minimum_cents for place in places), default=0),
        chips=[chip for chip in CHIPS if chip < free.available],
    )


def _place(public_id: str | None) -> Destination:
    """The chosen destination, else the first; raises `BadInput` where there is none."""
    session, owner_id = db.session(), owner().id
    if public_id:
        try:
            return destinations.own_destination(session, owner_id, public_id)
        except NotYours:
            raise BadInput(_("Please choose how you want to be paid."), field="method") from None
    first = destinations.preferred(session, owner_id)
    if first is None:
        raise BadInput(_("Please say first how you want to be paid."), field="method")
    return first


def _terms(place: Destination, amount: Cents) -> Terms:
    balances = statements.balances(db.session(), place.consultant_id)
    return service.check_amount(db.session(), place, amount, balances=balances, now=utc_now())


def _cents(form: AmountForm) -> Cents:
    assert form.amount.data is not None, "a form that is right has an amount"
    return form.amount.data


def _given_amount() -> Cents | None:
    try:
        return parse_money(request.args["amount"]) if "amount" in request.args else None
    except BadInput:
        return None
