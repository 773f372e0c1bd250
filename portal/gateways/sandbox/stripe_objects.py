"""Stripe's objects as far as we look at them, in the shapes of the SDK's API version."""

from __future__ import annotations

import copy
from typing import Any

from portal.gateways.sandbox.store import Document, new_id

_DAY = 86_400
PRIVATE = "_sandbox"


def new_session(parameters: dict[str, Any], *, now: int) -> Document:
    """An open Checkout session; what the page shows of its lines is kept under a private name."""
    lines = [_line(item) for item in parameters["line_items"]]
    subscription_data = parameters.get("subscription_data") or {}
    return {
        "id": f"cs_test_{new_id('s')[2:]}",
        "object": "checkout.session",
        "livemode": False,
        "created": now,
        "expires_at": int(parameters.get("expires_at") or now + _DAY),
        "mode": parameters["mode"],
        "status": "open",
        "payment_status": "unpaid",
        "amount_subtotal": sum(line["cents"] for line in lines),
        "amount_total": sum(line["cents"] for line in lines),
        "currency": lines[0]["currency"],
        "client_reference_id": parameters.get("client_reference_id"),
        "customer": None,
        "customer_email": parameters.get("customer_email"),
        "invoice": None,
        "metadata": parameters.get("metadata") or {},
        "payment_intent": None,
        "subscription": None,
        "success_url": parameters["success_url"],
        "cancel_url": parameters.get("cancel_url"),
        "ui_mode": "hosted_page",
        "url": None,
        PRIVATE: {"lines": lines, "subscription_metadata": subscription_data.get("metadata") or {}},
    }


def complete(session: Document, *, paid: bool) -> None:
    """Let a session be complete: with a payment intent, or with a subscription and its first invoice."""
    session.update(
        status="complete", payment_status="paid" if paid else "unpaid", customer=new_id("cus"), url=None
    )
    if session["mode"] == "subscription":
        session.update(subscription=new_id("sub"), invoice=new_id("in"))
    else:
        session.update(payment_intent=new_id("pi"))


def new_customer(session: Document, *, now: int) -> Document:
    """Who paid."""
    return {
        "id": session["customer"],
        "object": "customer",
        "created": now,
        "email": session["customer_email"],
        "metadata": {},
    }


def new_billing_session(parameters: dict[str, Any], *, now: int) -> Document:
    """A page of the customer portal."""
    return {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "livemode": False,
        "created": now,
        "customer": parameters["customer"],
        "return_url": parameters.get("return_url"),
        "url": "",
    }


def new_charge(session: Document, intent_id: str, *, cents: int, now: int) -> tuple[Document, Document]:
    """A payment intent that has succeeded, and its charge."""
    shared = {"livemode": False, "created": now, "amount": cents, "currency": session["currency"]}
    charge_id = f"ch_{new_id('c')[2:]}"
    intent = {
        "id": intent_id,
        "object": "payment_intent",
        **shared,
        "amount_received": cents,
        "customer": session["customer"],
        "latest_charge": charge_id,
        "metadata": session["metadata"],
        "status": "succeeded",
    }
    charge = {
        "id": charge_id,
        "object": "charge",
        **shared,
        "amount_refunded": 0,
        "customer": session["customer"],
        "disputed": False,
        "metadata": {},
        "paid": True,
        "payment_intent": intent_id,
        "refunded": False,
        "status": "succeeded",
    }
    return intent, charge


def new_subscription(session: Document, *, now: int) -> Document:
    """The subscription of a completed session, in its first month."""
    item = {
        "id": new_id("si"),
        "object": "subscription_item",
        "current_period_start": now,
        "current_period_end": now + 30 * _DAY,
    }
    return {
        "id": session["subscription"],
        "object": "subscription",
        "livemode": False,
        "created": now,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "customer": session["customer"],
        "ended_at": None,
        "items": {"object": "list", "data": [item]},
        "latest_invoice": None,
        "metadata": session[PRIVATE]["subscription_metadata"],
        "status": "active",
    }


def new_invoice(session: Document, subscription: Document, *, reason: str, now: int) -> Document:
    """An open invoice of a subscription: the first with all lines, later ones with the monthly."""
    renewal = reason == "subscription_cycle"
    cents = sum(line["cents"] for line in session[PRIVATE]["lines"] if line["monthly"] or not renewal)
    (item,) = subscription["items"]["data"]
    period = {"start": item["current_period_start"], "end": item["current_period_end"]}
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {
        "id": new_id("in") if renewal else session["invoice"],
        "object": "invoice",
        "livemode": False,
        "created": now,
        "amount_due": cents,
        "amount_paid": 0,
        "amount_remaining": cents,
        "billing_reason": reason,
        "currency": session["currency"],
        "customer": session["customer"],
        "customer_email": session["customer_email"],
        "lines": {"object": "list", "data": [{"object": "line_item", "amount": cents, "period": period}]},
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": details,
        },
        "status": "open",
        "total": cents,
    }


def new_invoice_payment(invoice: Document, *, intent: str, now: int) -> Document:
    """Which payment intent paid an invoice."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "livemode": False,
        "created": now,
        "amount_paid": invoice["amount_paid"],
        "amount_requested": invoice["amount_due"],
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "paid",
    }


def new_event(kind: str, thing: Document, *, now: int) -> Document:
    """An event with a copy of the thing as it is at this moment."""
    import stripe

    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": stripe.api_version,
        "created": now,
        "data": {"object": public(thing)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def public(thing: Document) -> Document:
    """What Stripe would show of a thing."""
    return copy.deepcopy({name: value for name, value in thing.items() if name != PRIVATE})


def _line(item: dict[str, Any]) -> dict[str, Any]:
    price = item["price_data"]
    return {
        "name": price["product_data"]["name"],
        "cents": int(price["unit_amount"]) * int(item["quantity"]),
        "currency": price["currency"].lower(),
        "monthly": bool(price.get("recurring")),
    }
