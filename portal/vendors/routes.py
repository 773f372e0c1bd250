"""/admin/vendors: for those who manage vendors."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.sales.queries import reconciliation
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.vendors import queries, service, term_words
from portal.vendors.forms import VendorForm
from portal.vendors.room import done, today, vendor_named, vendors


@vendors.get("")
@requires(permissions.settle_statements)
def index() -> Response:
    """All vendors, and what came of what they sent."""
    return show("vendors/index.html", "main", rows=reconciliation(db.session()))


@vendors.get("/new")
@requires(permissions.manage_vendors)
def new() -> Response:
    """The form for a new vendor."""
    return show("vendors/new.html", "form", form=VendorForm(formdata=None))


@vendors.post("/new")
@requires(permissions.manage_vendors)
def create() -> AnyResponse:
    """Add a vendor and go to its page."""
    form = VendorForm()
    added: list[str] = []

    def work(uow: UnitOfWork, actor_id: int) -> None:
        name, core = (form.name.data or "").strip(), bool(form.core.data)
        added[:] = [service.add_vendor(uow, name=name, core=core, actor_id=actor_id).public_id]

    if not done(form, work):
        return show("vendors/new.html", "form", status=422, form=form)
    flash(_("The vendor is added. Next: a service."), "ok")
    return redirect(url_for("vendors.new_service", public_id=added[0]), 303)


@vendors.get("/<public_id>")
@requires(permissions.manage_vendors)
def vendor(public_id: str) -> Response:
    """One vendor; a tick asks for the events alone."""
    return _page(public_id, block="events")


@vendors.post("/<public_id>/keys")
@requires(permissions.manage_vendors)
def add_key(public_id: str) -> Response:
    """Make a key and show it in this one answer."""
    vendor_id, actor_id = vendor_named(public_id).id, current_user.id
    try:
        shown = perform(lambda uow: service.add_key(uow, vendor_id=vendor_id, actor_id=actor_id))
    except DomainError as refusal:
        return _page(public_id, block="keys", status=refusal.status, key_refusal=refusal.message)
    return _page(public_id, block="keys", status=201, shown=shown)


@vendors.post("/<public_id>/keys/<key>/revoke")
@requires(permissions.manage_vendors)
def revoke_key(public_id: str, key: str) -> AnyResponse:
    """End a key at once."""
    vendor_id, actor_id = vendor_named(public_id).id, current_user.id
    perform(lambda uow: service.revoke_key(uow, vendor_id=vendor_id, key_public_id=key, actor_id=actor_id))
    flash(_("The key is revoked. Events signed with it are refused from now on."), "ok")
    return redirect(url_for("vendors.vendor", public_id=public_id), 303)


@vendors.post("/<public_id>/events/<int:inbox_id>/replay")
@requires(permissions.manage_vendors)
def replay(public_id: str, inbox_id: int) -> AnyResponse:
    """Try an event again that was given up."""
    vendor_id, actor_id = vendor_named(public_id).id, current_user.id
    perform(lambda uow: service.replay(uow, vendor_id=vendor_id, inbox_id=inbox_id, actor_id=actor_id))
    flash(_("The event is tried again."), "ok")
    return redirect(url_for("vendors.vendor", public_id=public_id, _anchor="events"), 303)


def _page(public_id: str, *, block: str, status: int = 200, **context: Any) -> Response:
    found = vendor_named(public_id)
    return show(
        "vendors/vendor.html",
        block,
        status=status,
        vendor=found,
        services=queries.service_rows(found, today=today()),
        live_keys=queries.live_keys(found),
        most_keys=service.MOST_LIVE_KEYS,
        volume_of=term_words.volume_of,
        money_of=term_words.money_of,
        events=queries.newest_events(db.session(), found.id),
        **context,
    )
