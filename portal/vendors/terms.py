"""What a service is worth, and what it costs who orders here."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.models import Service, Vendor
from portal.store import UnitOfWork
from portal.ui import show
from portal.vendors import queries, service
from portal.vendors.forms import PriceForm, TermsForm
from portal.vendors.room import done, today, vendor_named, vendors


@vendors.get("/<public_id>/services/<code>")
@requires(permissions.manage_vendors)
def terms(public_id: str, code: str) -> Response:
    """What a service is worth: today, before, and from a day on."""
    found = vendor_named(public_id)
    form = TermsForm(formdata=None, valid_from=today())
    return _terms_page(found, queries.service_of(found, code), form)


@vendors.post("/<public_id>/services/<code>")
@requires(permissions.manage_vendors)
def add_terms(public_id: str, code: str) -> AnyResponse:
    """Add terms for contracts signed from a day on."""
    form = TermsForm()
    service_id = queries.service_of(vendor_named(public_id), code).id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        service.add_terms(uow, service_id=service_id, terms=form.terms(), actor_id=actor_id)

    if not done(form, work):
        found = vendor_named(public_id)
        return _terms_page(found, queries.service_of(found, code), form, status=422)
    flash(_("The new terms are kept."), "ok")
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


@vendors.post("/<public_id>/services/<code>/price")
@requires(permissions.manage_vendors)
def set_price(public_id: str, code: str) -> AnyResponse:
    """Change what customers pay who order here."""
    form = PriceForm()
    service_id = queries.service_of(vendor_named(public_id), code).id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        service.set_price(
            uow,
            service_id=service_id,
            price_cents=form.price_cents.data or 0,
            per_unit_cents=form.price_per_unit_cents.data or 0,
            actor_id=actor_id,
        )

    if not done(form, work):
        found = vendor_named(public_id)
        terms_form = TermsForm(formdata=None, valid_from=today())
        return _terms_page(found, queries.service_of(found, code), terms_form, status=422, price_form=form)
    flash(_("The price is kept."), "ok")
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


def _terms_page(
    found: Vendor, sold: Service, form: TermsForm, *, status: int = 200, price_form: PriceForm | None = None
) -> Response:
    return show(
        "vendors/terms.html",
        "main",
        status=status,
        vendor=found,
        service=sold,
        in_force=queries.terms_in_force(sold, today=today()),
        form=form,
        price_form=price_form or PriceForm(formdata=None, obj=sold),
    )
