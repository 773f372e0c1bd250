"""What a service is worth, version by version, and what it costs who orders here."""

from __future__ import annotations

from typing import cast

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.models import Service, Vendor
from portal.store import UnitOfWork
from portal.ui import show
from portal.ui.fields import RefusingForm
from portal.vendors import queries, service, term_words
from portal.vendors.forms import NameForm, PriceForm, TermsForm, values_of
from portal.vendors.room import do, done, today, vendor_named, vendors


@vendors.get("/<public_id>/services/<code>")
@requires(permissions.manage_vendors)
def terms(public_id: str, code: str) -> Response:
    """What a service is worth: today, before, and from a day on."""
    found = vendor_named(public_id)
    return _terms_page(found, queries.service_of(found, code))


@vendors.post("/<public_id>/services/<code>")
@requires(permissions.manage_vendors)
def add_terms(public_id: str, code: str) -> AnyResponse:
    """Add terms for contracts signed from a day on."""
    sold = queries.service_of(vendor_named(public_id), code)
    form, service_id, is_first = _with_packs(TermsForm()), sold.id, not sold.terms

    def work(uow: UnitOfWork, actor_id: int) -> None:
        service.add_terms(uow, service_id=service_id, terms=form.terms(), actor_id=actor_id)

    is_past = not is_first and form.validate_on_submit() and form.needs_confirmation(today=today())
    if is_past or not done(form, work):
        found = vendor_named(public_id)
        return _terms_page(found, queries.service_of(found, code), form=form, status=422)
    flash(_("The new terms are kept."), "ok")
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


@vendors.post("/<public_id>/services/<code>/terms/<day>/remove")
@requires(permissions.manage_vendors)
def remove_terms(public_id: str, code: str, day: str) -> AnyResponse:
    """Take back terms that no contract has."""
    sold = queries.service_of(vendor_named(public_id), code)
    service_id, terms_id = sold.id, queries.version_of(sold, day).id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        service.remove_terms(uow, service_id=service_id, terms_id=terms_id, actor_id=actor_id)

    do(work, said=_("These terms are taken back."))
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


@vendors.get("/<public_id>/services/<code>/compare")
@requires(permissions.manage_vendors)
def compare_terms(public_id: str, code: str) -> Response:
    """Two versions side by side: the newest two unless the address says which."""
    found = vendor_named(public_id)
    sold = queries.service_of(found, code)
    days = [version.valid_from.isoformat() for version in sold.terms] or [""]
    first, second = (
        queries.version_of(sold, request.args.get(name, default))
        for name, default in (("first", days[-2:][0]), ("second", days[-1]))
    )
    return show(
        "vendors/compare.html",
        "main",
        vendor=found,
        service=sold,
        first=first,
        second=second,
        lines=term_words.compared(first, second, unit=sold.unit),
    )


@vendors.post("/<public_id>/services/<code>/withdraw")
@requires(permissions.manage_vendors)
def withdraw_service(public_id: str, code: str) -> AnyResponse:
    """Take no new contracts of a service, or take them again."""
    service_id = queries.service_of(vendor_named(public_id), code).id
    withdrawn = request.form.get("withdrawn") == "yes"

    def work(uow: UnitOfWork, actor_id: int) -> None:
        service.withdraw_service(uow, service_id=service_id, withdrawn=withdrawn, actor_id=actor_id)

    said = (
        _("No new contracts from now on. Those that are there live on.")
        if withdrawn
        else _("It is sold again.")
    )
    do(work, said=said)
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
        return _terms_page(found, queries.service_of(found, code), status=422, price_form=form)
    flash(_("The price is kept."), "ok")
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


@vendors.post("/<public_id>/services/<code>/name")
@requires(permissions.manage_vendors)
def describe_service(public_id: str, code: str) -> AnyResponse:
    """Change what a service is called and the sentence below it."""
    form = NameForm()
    service_id = queries.service_of(vendor_named(public_id), code).id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        name, summary = form.name.data or "", form.summary.data or ""
        service.describe_service(uow, service_id=service_id, name=name, summary=summary, actor_id=actor_id)

    if not done(form, work):
        found = vendor_named(public_id)
        return _terms_page(found, queries.service_of(found, code), status=422, name_form=form)
    flash(_("The name and the sentence are kept."), "ok")
    return redirect(url_for("vendors.terms", public_id=public_id, code=code), 303)


def _with_packs(form: TermsForm) -> TermsForm:
    form.packs.choices = queries.pack_choices(db.session())
    return form


def _new_form(sold: Service) -> TermsForm:
    """New terms begin with what the newest say."""
    values = values_of(sold.terms[-1]) if sold.terms else {}
    return TermsForm(formdata=None, data={**values, "valid_from": today()})


def _terms_page(found: Vendor, sold: Service, *, status: int = 200, **forms: RefusingForm) -> Response:
    """The page; a form that was refused stands in `forms` as `form`, `price_form` or `name_form`."""
    terms_form = cast(TermsForm, forms.get("form") or _new_form(sold))
    return show(
        "vendors/terms.html",
        "main",
        status=status,
        vendor=found,
        service=sold,
        in_force=queries.terms_in_force(sold, today=today()),
        contracts=queries.contracts_by_terms(db.session(), sold.id),
        lines_of=lambda version: term_words.lines(version, unit=sold.unit),
        form=_with_packs(terms_form),
        price_form=forms.get("price_form") or PriceForm(formdata=None, obj=sold),
        name_form=forms.get("name_form") or NameForm(formdata=None, obj=sold),
    )
