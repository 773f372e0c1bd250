"""/shop: a consultant's link for customers: services, an order, the payment page, the end."""

from __future__ import annotations

import logging

from flask import Response, current_app, redirect, url_for
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import public, requires
from portal.config import Settings
from portal.extensions import db, limiter
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import CheckoutRequest, stripe_of
from portal.kernel.errors import DomainError
from portal.members.queries import consultant_of
from portal.models import Service
from portal.payments import orders
from portal.payments.orders import Buyer
from portal.payments.queries import order_by_public_id, orders_of
from portal.shop import queries
from portal.shop.forms import OrderForm
from portal.shop.room import shop, today
from portal.store import UnitOfWork, perform
from portal.ui import show

log = logging.getLogger(__name__)


@shop.get("/shop/<code>")
@public
@limiter.limit("60 per minute")
def front(code: str) -> Response:
    """What can be bought through a consultant's link."""
    seller = queries.seller(db.session(), code)
    services = queries.sold_by(db.session(), seller, day=today())
    return show("shop/front.html", "main", seller=seller, services=services)


@shop.get("/shop/<code>/<int:service_id>")
@public
@limiter.limit("60 per minute")
def service(code: str, service_id: int) -> Response:
    """One service and the form to order it."""
    return _form_page(code, service_id, OrderForm(formdata=None))


@shop.post("/shop/<code>/<int:service_id>")
@public
@limiter.limit("10 per minute; 60 per hour")
def order(code: str, service_id: int) -> AnyResponse:
    """Keep the order, then on to Stripe's page."""
    form = OrderForm()
    if not form.validate_on_submit():
        return _form_page(code, service_id, form, status=422)
    seller, sold = queries.seller(db.session(), code), queries.service(db.session(), service_id)
    if queries.is_barred(db.session(), seller, sold, day=today()):
        return _form_page(code, service_id, form, status=409)
    seller_id = seller.id
    buyer, size = Buyer(form.name.data or "", form.email.data or ""), form.size.data or 0

    def work(uow: UnitOfWork) -> tuple[str, int]:
        made = orders.open_order(
            uow, consultant_id=seller_id, service_id=service_id, buyer=buyer, size_thousandths=size
        )
        return made.public_id, made.amount_cents

    try:
        public_id, cents = perform(work)
        return redirect(_open_page(code, sold, buyer, order_id=public_id, cents=cents), 303)
    except ProviderUnavailable:
        return _form_page(code, service_id, form, status=503, problem="provider")
    except DomainError as refusal:
        form.refuse(refusal)
        return _form_page(code, service_id, form, status=refusal.status)


@shop.get("/shop/orders/<public_id>")
@public
def done(public_id: str) -> Response:
    """Waits for the payment to be confirmed, then says thank you."""
    found = order_by_public_id(db.session(), public_id)
    if found is None:
        raise NotFound
    return show("shop/done.html", "state", order=found)


@shop.get("/orders")
@requires(permissions.see_own_business)
def own_orders() -> Response:
    """What customers ordered through one's own link."""
    me = consultant_of(db.session(), current_user.person_id)
    if me is None:
        raise NotFound
    base_url = _settings().base_url
    return show(
        "shop/orders.html",
        "main",
        orders=orders_of(db.session(), me.id),
        link=f"{base_url}{url_for('shop.front', code=me.code)}",
        anything=bool(queries.services(db.session())),
    )


def _open_page(code: str, sold: Service, buyer: Buyer, *, order_id: str, cents: int) -> str:
    """The address of Stripe's page for an order. Outside any unit of work; raises `ProviderUnavailable`."""
    base_url = _settings().base_url
    request = CheckoutRequest(
        order_id=order_id,
        name=sold.name,
        once_cents=cents,
        email=buyer.email,
        success_url=f"{base_url}{url_for('shop.done', public_id=order_id)}",
        cancel_url=f"{base_url}{url_for('shop.service', code=code, service_id=sold.id)}",
        idempotency_key=f"order-{order_id}",
    )
    # The connection goes back to the pool: a slow provider must not hold the database.
    db.session.rollback()
    try:
        page = stripe_of(_settings()).open_checkout(request)
    except ProviderUnavailable as failure:
        log.warning("no payment page for order %s: %s", order_id, failure.message)
        raise
    perform(lambda uow: orders.note_checkout(uow, public_id=order_id, checkout_session=page.session_id))
    return page.url


def _form_page(
    code: str, service_id: int, form: OrderForm, *, status: int = 200, problem: str = ""
) -> Response:
    seller, sold = queries.seller(db.session(), code), queries.service(db.session(), service_id)
    return show(
        "shop/order.html",
        "form",
        status=status,
        form=form,
        seller=seller,
        service=sold,
        barred=queries.is_barred(db.session(), seller, sold, day=today()),
        problem=problem,
    )


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
