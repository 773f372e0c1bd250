"""/market: every service in the catalogue, and what it pays the consultant who looks."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions.credits import HOLD_DAYS
from portal.commissions.queries import open_cycle
from portal.extensions import db
from portal.kernel.errors import BadInput
from portal.leads.selling import offered_services
from portal.members.queries import consultant_of
from portal.models import Consultant, Pack
from portal.shop.forms import ExampleForm
from portal.shop.offers import Sold, example_size, offers_for
from portal.shop.room import shop, today
from portal.ui import show


@shop.get("/market")
@requires(permissions.see_own_business)
def market() -> Response:
    """All vendors with their services, each for an example."""
    me, sold = _me(), _sold()
    offers = offers_for(db.session(), me, sold, sizes={}, today=today())
    return show("shop/market.html", "main", offers=offers, **_around(me))


@shop.get("/market/<vendor>")
@requires(permissions.see_own_business)
def market_vendor(vendor: str) -> Response:
    """One vendor's services in full, each for a size that can be changed."""
    me, sold = _me(), [pair for pair in _sold() if pair[0].vendor.public_id == vendor]
    if not sold:
        raise NotFound
    forms = {service.id: _form(service.code, example_size(service)) for service, _terms in sold}
    sizes = {key: form.size.data or 0 for key, form in forms.items() if form.validate()}
    status = 200 if len(sizes) == len(forms) else 422
    try:
        offers = offers_for(db.session(), me, sold, sizes=sizes, today=today())
    except BadInput as refusal:
        status, offers = 422, offers_for(db.session(), me, sold, sizes={}, today=today())
        for form in forms.values():
            form.refuse(refusal)
    return show(
        "shop/market_vendor.html",
        "offers",
        status=status,
        vendor=sold[0][0].vendor,
        offers=offers,
        forms=forms,
        links={offer.service.id: _link(me, offer.service) for offer in offers},
        **_around(me),
    )


def _around(me: Consultant) -> dict[str, Any]:
    """What both pages say beside the services."""
    cycle = open_cycle(db.session())
    return {
        "me": me,
        "pack": db.session.get_one(Pack, me.pack),
        "plan_name": cycle.plan_version.name if cycle else "",
        "hold_days": HOLD_DAYS,
    }


def _sold() -> list[Sold]:
    return offered_services(db.session(), day=today())


def _form(code: str, example: int) -> ExampleForm:
    """The form of one service; without its size in the address the example stands in it."""
    prefix = f"{code}-"
    written = request.args if f"{prefix}size" in request.args else None
    return ExampleForm(written, prefix=prefix, data={"size": example})


def _link(me: Consultant, service: Any) -> str:
    """Where a customer signs up for a service through this consultant."""
    base_url = current_app.config["SETTINGS"].base_url
    path = url_for("desk.sign_up_page", vendor=service.vendor.public_id, code=service.code, c=me.code)
    return f"{base_url}{path}"


def _me() -> Consultant:
    me = consultant_of(db.session(), current_user.person_id)
    if me is None:
        raise NotFound
    return me
