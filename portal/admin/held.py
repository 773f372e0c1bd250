"""/admin/held: sales that a rule keeps from earning, until somebody settles them with a reason."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import TextAreaField
from wtforms.validators import Length

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.sales import held_queries, holds
from portal.store import perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request

STATES = {
    "held": (_l("Held"), "sun"),
    "released": (_l("Released"), "ok"),
    "refused": (_l("Refused"), "bad"),
    "gone": (_l("Nothing left to sell"), ""),
}


class SettlingForm(RefusingForm):
    """Why it is released or refused."""

    note = TextAreaField(_l("Reason"), validators=[Length(max=holds.LONGEST_NOTE)])


@admin.get("/held")
@requires(permissions.settle_held_sales)
def held_sales() -> Response:
    """What is held and why, and what was settled."""
    session = db.session()
    count, volume, revenue = held_queries.sums(session)
    after = number(request.args, "after")
    return show(
        "admin/held.html",
        "main",
        waiting=held_queries.waiting(session, after=after),
        settled=held_queries.settled(session),
        count=count,
        volume=volume,
        revenue=revenue,
        most=held_queries.MOST,
        states=STATES,
    )


@admin.get("/held/<public_id>")
@requires(permissions.settle_held_sales)
def held_sale(public_id: str) -> Response:
    """One held sale: what it would be worth, and what stands against it."""
    return _page(public_id, SettlingForm(formdata=None))


@admin.post("/held/<public_id>/release")
@requires(permissions.settle_held_sales)
@require_recent_password()
def release_held(public_id: str) -> AnyResponse:
    """Sell it after all, in the open cycle."""
    return _settled(public_id, holds.release, _("Released. It counts in the open cycle."))


@admin.post("/held/<public_id>/refuse")
@requires(permissions.settle_held_sales)
@require_recent_password()
def refuse_held(public_id: str) -> AnyResponse:
    """Never sell it."""
    return _settled(public_id, holds.refuse, _("Refused. It will not be sold."))


@admin.post("/held/<public_id>/own-use")
@requires(permissions.settle_held_sales)
@require_recent_password()
def mark_own_use(public_id: str) -> AnyResponse:
    """Say whether the customer is the consultant's own household."""
    customer_id = held_queries.one(db.session(), public_id).sale.contract.customer_id
    own_use, actor_id = bool(request.form.get("own_use")), current_user.id
    perform(lambda uow: holds.mark_own_use(uow, customer_id=customer_id, own_use=own_use, actor_id=actor_id))
    flash(_("The customer is marked."), "ok")
    return redirect(url_for("admin.held_sale", public_id=public_id), 303)


def _settled(public_id: str, settle: Callable[..., object], words: str) -> AnyResponse:
    form, actor_id = SettlingForm(), current_user.id
    if not form.validate_on_submit():
        return _page(public_id, form, status=422)
    note = form.note.data or ""
    try:
        perform(lambda uow: settle(uow, public_id=public_id, actor_id=actor_id, note=note) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(public_id, form, status=refusal.status)
    flash(words, "ok")
    return redirect(url_for("admin.held_sale", public_id=public_id), 303)


def _page(public_id: str, form: SettlingForm, *, status: int = 200) -> Response:
    found = held_queries.one(db.session(), public_id)
    return show("admin/held_sale.html", "held", status=status, form=form, found=found, states=STATES)
