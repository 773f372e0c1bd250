"""/earnings/tax-form: the W-9, without which nobody is paid."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.payouts.payees import tax_forms, tax_years
from portal.store import perform
from portal.ui import show
from portal.wallets.forms import TaxForm
from portal.wallets.room import owner, wallets


@wallets.get("/tax-form")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def tax_form() -> Response:
    """The form; of a number that is known only the last four digits are shown."""
    known = tax_forms.valid_form(db.session(), owner().id)
    name = known.legal_name if known else current_user.person.name
    return _page(TaxForm(formdata=None, legal_name=name))


@wallets.post("/tax-form")
@requires(permissions.withdraw_own_money)
@require_recent_password()
def sign_tax_form() -> AnyResponse:
    """File the signed form."""
    form = TaxForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    written, owner_id, actor_id = form.written(), owner().id, current_user.id
    try:
        perform(lambda uow: tax_forms.sign(uow, written, consultant_id=owner_id, actor_id=actor_id).id)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("Your tax form is signed."), "ok")
    return redirect(url_for("wallets.payees"), 303)


def _page(form: TaxForm, *, status: int = 200) -> Response:
    session = db.session()
    return show(
        "wallets/tax_form.html",
        "form",
        status=status,
        form=form,
        known=tax_forms.newest_form(session, owner().id),
        rules=tax_years.rules_of(session, utc_now().year),
    )
