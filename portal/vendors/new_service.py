"""/admin/vendors/<id>/new-service: a service with its first terms, and on to the next one or to the key."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.store import UnitOfWork
from portal.ui import show
from portal.vendors import queries, service
from portal.vendors.forms import ServiceForm
from portal.vendors.room import done, today, vendor_named, vendors


@vendors.get("/<public_id>/new-service")
@requires(permissions.manage_vendors)
def new_service(public_id: str) -> Response:
    """The form for a service and its first terms."""
    return _page(public_id, ServiceForm(formdata=None, valid_from=today()))


@vendors.post("/<public_id>/new-service")
@requires(permissions.manage_vendors)
def add_service(public_id: str) -> AnyResponse:
    """Add the service and its terms at once; then another one, or the vendor's page."""
    form, vendor_id = ServiceForm(), vendor_named(public_id).id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        added = service.add_service(uow, vendor_id=vendor_id, offer=form.offer(), actor_id=actor_id)
        service.add_terms(uow, service_id=added.id, terms=form.terms(), actor_id=actor_id)

    if not done(form, work):
        return _page(public_id, form, status=422)
    flash(_("%(name)s is in the catalogue.", name=form.name.data), "ok")
    if request.form.get("next") == "another":
        return redirect(url_for("vendors.new_service", public_id=public_id), 303)
    return redirect(url_for("vendors.vendor", public_id=public_id, _anchor="keys"), 303)


def _page(public_id: str, form: ServiceForm, *, status: int = 200) -> Response:
    form.packs.choices = queries.pack_choices(db.session())
    return show("vendors/service.html", "form", status=status, vendor=vendor_named(public_id), form=form)
