"""/vendor/keys: two live keys, so that one can be exchanged; a secret is shown once."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.kernel.errors import DomainError
from portal.store import perform
from portal.ui import show
from portal.vendors import service
from portal.vendors.portal_room import own_place, partner
from portal.vendors.queries import live_keys


@partner.get("/keys")
@requires(permissions.manage_vendor_keys)
def keys() -> Response:
    """The keys that are live."""
    return _page()


@partner.post("/keys")
@requires(permissions.manage_vendor_keys)
@require_recent_password()
def make_key() -> Response:
    """Make a key and show it in this one answer."""
    vendor_id, actor_id = own_place().vendor.id, current_user.id
    try:
        shown = perform(lambda uow: service.add_key(uow, vendor_id=vendor_id, actor_id=actor_id))
    except DomainError as refusal:
        return _page(status=refusal.status, refusal=refusal.message)
    return _page(status=201, shown=shown)


@partner.post("/keys/<key>/revoke")
@requires(permissions.manage_vendor_keys)
@require_recent_password()
def end_key(key: str) -> AnyResponse:
    """End a key at once."""
    vendor_id, actor_id = own_place().vendor.id, current_user.id
    perform(lambda uow: service.revoke_key(uow, vendor_id=vendor_id, key_public_id=key, actor_id=actor_id))
    flash(_("The key is revoked. Events signed with it are refused from now on."), "ok")
    return redirect(url_for("partner.keys"), 303)


def _page(*, status: int = 200, **context: Any) -> Response:
    place = own_place()
    return show(
        "vendors/portal/keys.html",
        "main",
        status=status,
        vendor=place.vendor,
        live=live_keys(place.vendor),
        most=service.MOST_LIVE_KEYS,
        **context,
    )
