"""/plan: the pack one holds, what it costs, what was paid, and the way to Stripe's customer portal."""

from __future__ import annotations

import logging

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db, limiter
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import stripe_of
from portal.members.queries import consultant_of
from portal.models import Consultant, Pack
from portal.payments import queries
from portal.shop.room import shop
from portal.ui import show

log = logging.getLogger(__name__)


@shop.get("/plan")
@requires(permissions.see_own_business)
def plan() -> Response:
    """The pack, the subscription, and every payment with its receipt."""
    me = _me()
    held = queries.subscription_of(db.session(), me.id)
    return show(
        "shop/plan.html",
        "main",
        pack=db.session.get_one(Pack, me.pack),
        held=held,
        payments=queries.payments_of(db.session(), me.id),
        portal=bool(held and held.customer_ref),
    )


@shop.post("/plan/billing")
@requires(permissions.see_own_business)
@limiter.limit("10 per minute")
def billing() -> AnyResponse:
    """On to Stripe's page for card and subscription; opened outside any unit of work."""
    held = queries.subscription_of(db.session(), _me().id)
    if held is None or not held.customer_ref:
        raise NotFound
    settings, customer = current_app.config["SETTINGS"], held.customer_ref
    db.session.rollback()
    try:
        url = stripe_of(settings).open_portal(
            customer_ref=customer, return_url=f"{settings.base_url}{url_for('shop.plan')}"
        )
    except ProviderUnavailable as failure:
        log.warning("no customer portal: %s", failure.message)
        flash(_("Stripe cannot be reached at the moment. Please try again in a few minutes."), "bad")
        return redirect(url_for("shop.plan"), 303)
    return redirect(url, 303)


@shop.get("/plan/receipts/<public_id>")
@requires(permissions.see_own_business)
def receipt(public_id: str) -> Response:
    """One payment and what went back of it, fit to be printed."""
    mine = queries.payments_of(db.session(), _me().id)
    found = next((payment for payment in mine if payment.public_id == public_id), None)
    if found is None:
        raise NotFound
    return show("shop/receipt.html", "main", payment=found, back=queries.went_back(db.session(), found))


def _me() -> Consultant:
    me = consultant_of(db.session(), current_user.person_id)
    if me is None:
        raise NotFound
    return me
