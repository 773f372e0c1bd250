"""What we read of each kind of Stripe's objects: a function for each, named by the object's own name.

Each gives those fields of a `StripeEvent` that it knows; what it does not name stays empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

REGISTRATION = "registration"
ORDER = "order"
REFUND_REQUEST = "refund_request"

Thing = dict[str, Any]


def session(thing: Thing) -> dict[str, Any]:
    """A Checkout page. `client_reference_id` is a registration unless the page was opened for an order."""
    marks = marks_of(thing)
    registration = marks.get(REGISTRATION) or ("" if ORDER in marks else thing.get("client_reference_id"))
    payment_ref = text(thing.get("payment_intent") or thing.get("invoice"))
    return {
        "registration_id": text(registration),
        "order_id": marks.get(ORDER, ""),
        "session_id": text(thing.get("id")),
        "payment_ref": payment_ref,
        "intent_ref": text(thing.get("payment_intent")),
        "subscription_ref": text(thing.get("subscription")),
        "amount": cents(thing.get("amount_total")),
        "paid": thing.get("payment_status") in ("paid", "no_payment_required"),
        "belongs_to": payment_ref,
    }


def invoice(thing: Thing) -> dict[str, Any]:
    """An invoice of a subscription; it is paid until the end of the latest time on its lines."""
    details = (thing.get("parent") or {}).get("subscription_details") or {}
    ends = [
        line["period"]["end"] for line in (thing.get("lines") or {}).get("data", ()) if line.get("period")
    ]
    return {
        "registration_id": text((details.get("metadata") or {}).get(REGISTRATION)),
        "payment_ref": text(thing["id"]),
        "subscription_ref": text(details.get("subscription")),
        "amount": cents(thing.get("amount_paid")),
        "paid": thing.get("status") == "paid",
        "billing_reason": text(thing.get("billing_reason")),
        "paid_until": moment(max(ends, default=None)) if thing.get("status") == "paid" else None,
    }


def invoice_payment(thing: Thing) -> dict[str, Any]:
    """Which payment intent paid an invoice."""
    payment = thing.get("payment") or {}
    return {
        "payment_ref": text(thing["invoice"]),
        "intent_ref": text(payment.get("payment_intent")),
        "amount": cents(thing.get("amount_paid")),
        "paid": thing.get("status") == "paid",
        "belongs_to": text(thing["invoice"]),
    }


def refund(thing: Thing) -> dict[str, Any]:
    """Money given back; `request_id` is our own request for it."""
    intent = text(thing.get("payment_intent"))
    return {
        "intent_ref": intent,
        "amount": cents(thing.get("amount")),
        "reason": text(thing.get("reason")),
        "request_id": marks_of(thing).get(REFUND_REQUEST, ""),
        "belongs_to": intent or text(thing.get("charge")),
    }


def dispute(thing: Thing) -> dict[str, Any]:
    """A chargeback."""
    intent = text(thing.get("payment_intent"))
    return {
        "intent_ref": intent,
        "amount": cents(thing.get("amount")),
        "reason": text(thing.get("reason")),
        "belongs_to": intent or text(thing.get("charge")),
    }


def charge(thing: Thing) -> dict[str, Any]:
    """A card or bank that was charged."""
    intent = text(thing.get("payment_intent"))
    return {"intent_ref": intent, "amount": cents(thing.get("amount_refunded")), "belongs_to": intent}


def subscription(thing: Thing) -> dict[str, Any]:
    """A monthly fee. `ends_at`: when it ended, or will end by what was asked for."""
    ends = thing.get("ended_at") or thing.get("cancel_at")
    if not ends and thing.get("cancel_at_period_end"):
        items = (thing.get("items") or {}).get("data", ())
        ends = max((item["current_period_end"] for item in items), default=None)
    return {
        "registration_id": text(marks_of(thing).get(REGISTRATION)),
        "subscription_ref": text(thing["id"]),
        "ends_at": moment(ends),
    }


def marks_of(thing: Thing) -> dict[str, str]:
    """What we wrote on an object ourselves."""
    return {str(name): text(value) for name, value in (thing.get("metadata") or {}).items()}


def text(value: Any) -> str:
    """An id as text: as it stands, or of the object Stripe put in its place; empty for none."""
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 500:
        raise ValueError("a text is at most 500 characters")
    return value


def cents(value: Any) -> int:
    """A whole amount; 0 for none."""
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("an amount is a whole number")
    return value


def moment(value: Any) -> datetime | None:
    """Stripe's seconds as an instant in UTC."""
    return None if value is None else datetime.fromtimestamp(cents(value), UTC)


READERS: dict[str, Callable[[Thing], dict[str, Any]]] = {
    "checkout.session": session,
    "invoice": invoice,
    "invoice_payment": invoice_payment,
    "refund": refund,
    "dispute": dispute,
    "charge": charge,
    "subscription": subscription,
}
