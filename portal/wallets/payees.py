"""/earnings/payees: how one is paid; new details rest for 72 hours, and a mail tells of them."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.models import PayoutMethod
from portal.payouts.payees import destinations, methods, tax_forms, tax_years
from portal.store import perform
from portal.ui import show
from portal.wallets.forms import BankForm
from portal.wallets.room import owner, wallets


@wallets.get("/payees")
@requires(permissions.withdraw_own_money)
def payees() -> Response:
    """The methods on offer, and where each of them pays."""
    session, owner_id = db.session(), owner().id
    places = {place.method_id: place for place in destinations.destinations_of(session, owner_id)}
    return show(
        "wallets/payees.html",
        "main",
        methods=methods.offered(session),
        places=places,
        bank_kinds=destinations.BANK_KINDS,
        onboarding=url_for("wallets.stripe_account"),
        form=tax_forms.newest_form(session, owner_id),
        rules=tax_years.rules_of(session, utc_now().year),
        now=utc_now(),
    )


@wallets.get("/payees/<code>")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def payee(code: str) -> Response:
    """The form for a bank account; nothing of the one that is there is shown but its last digits."""
    return _page(code, BankForm(formdata=None, type="checking"))


@wallets.post("/payees/<code>")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def save_payee(code: str) -> AnyResponse:
    """Keep the bank account."""
    form, method_id = BankForm(), _method(code).id
    if not form.validate_on_submit():
        return _page(code, form, status=422)
    details, owner_id, actor_id = form.details(), owner().id, current_user.id
    try:
        perform(
            lambda uow: (
                destinations.save_bank(
                    uow, details, consultant_id=owner_id, method_id=method_id, actor_id=actor_id
                ).id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(code, form, status=refusal.status)
    flash(_("Saved. Money may go there after 72 hours; a mail tells you of the change."), "ok")
    return redirect(url_for("wallets.payees"), 303)


def _page(code: str, form: BankForm, *, status: int = 200) -> Response:
    method, owner_id = _method(code), owner().id
    place = next(
        (
            each
            for each in destinations.destinations_of(db.session(), owner_id)
            if each.method_id == method.id
        ),
        None,
    )
    return show("wallets/payee.html", "form", status=status, form=form, method=method, place=place)


def _method(code: str) -> PayoutMethod:
    method = methods.method_by_code(db.session(), code)
    if not method.enabled or method.kind not in destinations.BANK_KINDS:
        raise NotYours("There is nothing here under this address.")
    return method
