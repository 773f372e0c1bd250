"""/admin/payouts/methods: the ways to pay, their terms, and providers described by data."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.payouts.method_forms import HttpMethodForm, MethodForm, NachaMethodForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import PayoutMethod
from portal.payouts.payees import methods
from portal.payouts.payees.providers import HTTP_FIELDS, HTTP_STATES, http_settings, nacha_settings
from portal.payouts.payees.shipped import ensure_methods
from portal.payouts.payees.tax_years import years
from portal.store import perform
from portal.ui import show

FORMS: dict[str, type[MethodForm]] = {"http": HttpMethodForm, "nacha": NachaMethodForm}


@admin.get("/payouts/methods")
@requires(permissions.manage_payout_methods)
def payout_methods() -> Response:
    """All ways to pay, and what the law asks in each year."""
    session = db.session()
    rows, rules = methods.all_methods(session), years(session)
    return show("admin/payout_methods.html", "main", methods=rows, years=rules)


@admin.post("/payouts/methods/defaults")
@requires(permissions.manage_payout_methods)
@require_recent_password()
def add_shipped_methods() -> AnyResponse:
    """Add the shipped methods and tax years where they are missing."""
    perform(ensure_methods)
    flash(_("The shipped ways to pay are there."), "ok")
    return redirect(url_for("admin.payout_methods"), 303)


@admin.get("/payouts/methods/new")
@requires(permissions.manage_payout_methods)
def new_payout_method() -> Response:
    """A provider that is called over HTTP."""
    return _page(HttpMethodForm(formdata=None), None)


@admin.post("/payouts/methods/new")
@requires(permissions.manage_payout_methods)
@require_recent_password()
def add_payout_method() -> AnyResponse:
    """Keep the new provider."""
    form, actor_id = HttpMethodForm(), current_user.id
    if not form.validate_on_submit():
        return _page(form, None, status=422)
    terms, code = form.terms(), (form.code.data or "").strip()
    try:
        settings = http_settings(form.settings(), before={}, insecure=_insecure())
        perform(
            lambda uow: (
                methods.add_http_method(uow, terms, code=code, actor_id=actor_id, settings=settings).id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, None, status=refusal.status)
    flash(_("The way to pay is there."), "ok")
    return redirect(url_for("admin.payout_methods"), 303)


@admin.get("/payouts/methods/<code>")
@requires(permissions.manage_payout_methods)
def payout_method(code: str) -> Response:
    """One way to pay and its terms."""
    method = methods.method_by_code(db.session(), code)
    form = FORMS.get(method.kind, MethodForm)(formdata=None)
    form.fill(method)
    if isinstance(form, HttpMethodForm | NachaMethodForm):
        form.fill_settings(methods.settings_of(method))
    return _page(form, method)


@admin.post("/payouts/methods/<code>")
@requires(permissions.manage_payout_methods)
@require_recent_password()
def change_payout_method(code: str) -> AnyResponse:
    """Keep other terms."""
    method = methods.method_by_code(db.session(), code)
    form, actor_id = FORMS.get(method.kind, MethodForm)(), current_user.id
    if not form.validate_on_submit():
        return _page(form, method, status=422)
    terms = form.terms()
    try:
        settings = _settings(form, method)
        perform(
            lambda uow: methods.change_method(uow, terms, code=code, actor_id=actor_id, settings=settings).id
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, method, status=refusal.status)
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.payout_methods"), 303)


def _settings(form: MethodForm, method: PayoutMethod) -> dict[str, Any] | None:
    if isinstance(form, HttpMethodForm):
        return http_settings(form.settings(), before=methods.settings_of(method), insecure=_insecure())
    if isinstance(form, NachaMethodForm):
        return nacha_settings(form.settings())
    return None


def _insecure() -> bool:
    return not current_app.config["SETTINGS"].production


def _page(form: MethodForm, method: PayoutMethod | None, *, status: int = 200) -> Response:
    return show(
        "admin/payout_method.html",
        "form",
        status=status,
        form=form,
        method=method,
        fields=HTTP_FIELDS,
        states=HTTP_STATES,
    )
