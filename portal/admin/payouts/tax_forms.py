"""/admin/payouts/tax-forms: signed forms, backup withholding, and refusals."""

from __future__ import annotations

from flask import Response, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.payouts.payees import tax_forms
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request

STATES = ("valid", "refused", "replaced")


@admin.get("/payouts/tax-forms")
@requires(permissions.review_tax_forms)
def payout_tax_forms() -> Response:
    """The newest forms in a state."""
    state = request.args.get("state", "valid")
    return _page(state if state in STATES else "valid")


@admin.post("/payouts/tax-forms/<public_id>/refuse")
@requires(permissions.review_tax_forms)
@require_recent_password()
def refuse_tax_form(public_id: str) -> AnyResponse:
    """The form is not right."""
    form_id, actor_id, reason = _id(public_id), current_user.id, request.form.get("reason", "")

    return decide(
        lambda uow: tax_forms.refuse(uow, form_id=form_id, actor_id=actor_id, reason=reason),
        said=_("Refused. Its owner has to sign another before the next payment."),
        url=url_for("admin.payout_tax_forms"),
    )


@admin.post("/payouts/tax-forms/<public_id>/withholding")
@requires(permissions.review_tax_forms)
@require_recent_password()
def mark_tax_form(public_id: str) -> AnyResponse:
    """Backup withholding begins or ends."""
    form_id, actor_id, withhold = _id(public_id), current_user.id, "withhold" in request.form

    return decide(
        lambda uow: tax_forms.mark_withholding(uow, form_id=form_id, actor_id=actor_id, withhold=withhold),
        said=_("Tax is withheld from now on.") if withhold else _("No tax is withheld any more."),
        url=url_for("admin.payout_tax_forms"),
    )


@admin.post("/payouts/tax-forms/<public_id>/number")
@requires(permissions.review_tax_forms)
@require_recent_password()
def read_tax_number(public_id: str) -> Response:
    """Show the whole number once; that it was read is written down."""
    form_id, actor_id = _id(public_id), current_user.id
    name, number = perform(lambda uow: tax_forms.read_number(uow, form_id=form_id, actor_id=actor_id))
    return _page("valid", shown=(name, number))


def _page(state: str, *, shown: tuple[str, str] | None = None) -> Response:
    rows = tax_forms.forms(db.session(), state=state)
    return show("admin/payout_tax_forms.html", "main", rows=rows, state=state, shown=shown)


def _id(public_id: str) -> int:
    found = tax_forms.form_id_of(db.session(), public_id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found
