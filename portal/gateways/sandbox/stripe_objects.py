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


def paid_invoice(session: Document, *, invoice_id: str, reason: str, now: int) -> Document:
    """A paid invoice of a session's subscription: the first with all lines, later ones with the monthly."""
    renewal = reason == "subscription_cycle"
    cents = sum(line["cents"] for line in session[PRIVATE]["lines"] if line["monthly"] or not renewal)
    details = {
        "metadata": session[PRIVATE]["subscription_metadata"],
        "subscription": session["subscription"],
    }
    return {
        "id": invoice_id or new_id("in"),
        "object": "invoice",
        "livemode": False,
        "created": now,
        "amount_due": cents,
        "amount_paid": cents,
        "amount_remaining": 0,
        "billing_reason": reason,
        "currency": session["currency"],
        "customer": session["customer"],
        "customer_email": session["customer_email"],
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": details,
        },
        "status": "paid",
        "total": cents,
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
