"""Stripe through its own SDK: opening a Checkout page, and reading the signed events that follow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portal.gateways.errors import ProviderUnavailable, Refused
from portal.kernel.clock import utc_now

# The SDK takes 0.4 s to import, so that it is imported where it is first needed.
if TYPE_CHECKING:
    import stripe
    from stripe.params.checkout import SessionCreateParams

TOLERANCE_SECONDS = 300
REGISTRATION = "registration"

_TIMESTAMP = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)")
# The sandbox is on this machine: a proxy of the surroundings must not be asked for it.
_PAST_PROXIES = {"no_proxy": "localhost,127.0.0.1,::1"}


@dataclass(frozen=True)
class CheckoutRequest:
    """What somebody is to pay on Stripe's page.

    `once_cents` is due now, `monthly_cents` now and every month after; one of them may be 0.
    `registration_id` is the public id of our registration. `idempotency_key` is stored by the caller before
    the first try; the same request always carries the same key. `success_url` may hold
    `{CHECKOUT_SESSION_ID}`.
    """

    registration_id: str
    pack_name: str
    once_cents: int
    monthly_cents: int
    email: str
    success_url: str
    cancel_url: str
    idempotency_key: str
    currency: str = "usd"


@dataclass(frozen=True)
class CheckoutPage:
    """An open Checkout page: Stripe's id of it and where to send the browser."""

    session_id: str
    url: str


@dataclass(frozen=True)
class StripeEvent:
    """A signed event, in our words. What an event does not carry is empty.

    `amount` is in cents of `currency` (lower case). `payment_ref` is the payment intent, or the invoice where
    a subscription is paid: the completed Checkout and the first `invoice.paid` carry the same one.
    `paid`: the money is there (a completed Checkout can still wait for the bank). `billing_reason` of an
    invoice is `subscription_create` for the first and `subscription_cycle` for a renewal.
    """

    id: str
    type: str
    object_id: str
    livemode: bool
    created: datetime
    registration_id: str
    session_id: str
    payment_ref: str
    subscription_ref: str
    customer_ref: str
    amount: int
    currency: str
    paid: bool
    billing_reason: str


class StripeGateway:
    """Calls to Stripe with one key. `base_url` is Stripe itself when empty, else the sandbox."""

    def __init__(
        self, key: str, *, base_url: str = "", timeout_seconds: float = 15, retries: int = 2
    ) -> None:
        self._key = key
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._retries = retries

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Open a Checkout page; the same idempotency key gives the same page.

        Raises `ProviderUnavailable` for whatever goes wrong there or on the way, `ValueError` when there is
        nothing to pay.
        """
        import stripe

        parameters = _session_parameters(request)
        try:
            session = self._client.v1.checkout.sessions.create(
                parameters, {"idempotency_key": request.idempotency_key}
            )
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        if not session.url:
            raise ProviderUnavailable(f"Stripe: session {session.id} has no page.", key_is_spent=True)
        return CheckoutPage(session_id=session.id, url=session.url)

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe

        return stripe.StripeClient(
            self._key,
            base_addresses={"api": self._base_url} if self._base_url else {},
            max_network_retries=self._retries,
            http_client=stripe.RequestsClient(
                timeout=self._timeout_seconds,
                proxy=_PAST_PROXIES if self._base_url else None,  # type: ignore[arg-type]
            ),
        )


def read_event(
    raw_body: bytes, signature_header: str | None, secret: str, *, now: datetime | None = None
) -> StripeEvent:
    """The event in a webhook call, when `secret` signed it within 300 s of `now` (else of the house clock).

    Raises `Refused` for everything that is wrong with it.
    """
    _refuse_stale(signature_header or "", now or utc_now())
    return _translated(_verified(raw_body, signature_header or "", secret))


def stored_event(raw_body: bytes) -> StripeEvent:
    """The event in a body that `read_event` believed before."""
    return _translated(json.loads(raw_body))


def _session_parameters(request: CheckoutRequest) -> SessionCreateParams:
    items = []
    if request.once_cents:
        items.append(_line_item(request, request.pack_name, cents=request.once_cents))
    if request.monthly_cents:
        monthly = _line_item(request, f"{request.pack_name}, monthly", cents=request.monthly_cents)
        monthly["price_data"]["recurring"] = {"interval": "month"}
        items.append(monthly)
    if not items:
        raise ValueError("There is nothing to pay.")
    mark = {REGISTRATION: request.registration_id}
    parameters: SessionCreateParams = {
        "mode": "subscription" if request.monthly_cents else "payment",
        "client_reference_id": request.registration_id,
        "customer_email": request.email,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "metadata": mark,
        "line_items": items,
    }
    if request.monthly_cents:
        parameters["subscription_data"] = {"metadata": mark}
    else:
        parameters["payment_intent_data"] = {"metadata": mark}
    return parameters


def _line_item(request: CheckoutRequest, name: str, *, cents: int) -> Any:
    price = {"currency": request.currency, "unit_amount": cents, "product_data": {"name": name}}
    return {"quantity": 1, "price_data": price}


def _unavailable(error: stripe.StripeError) -> ProviderUnavailable:
    """A key is spent when Stripe has stored an answer for it: any but 401, 409 and 429."""
    status = error.http_status or 0
    code = error.code or type(error).__name__
    return ProviderUnavailable(
        f"Stripe: {code}, HTTP {status}, request {error.request_id or 'without id'}.",
        key_is_spent=status >= 400 and status not in (401, 409, 429),
    )


def _refuse_stale(header: str, now: datetime) -> None:
    """The SDK lets any time in the future pass and asks its own clock; here both directions count."""
    found = _TIMESTAMP.findall(header)
    if len(found) != 1:
        raise Refused("Stripe-Signature: missing or malformed")
    if abs(int(now.timestamp()) - int(found[0])) > TOLERANCE_SECONDS:
        raise Refused(f"Stripe-Signature: more than {TOLERANCE_SECONDS} seconds from our clock")


def _verified(raw_body: bytes, header: str, secret: str) -> dict[str, Any]:
    import stripe

    try:
        event = stripe.Webhook.construct_event(raw_body, header, secret, tolerance=0)
        return event.to_dict()
    except Exception as error:
        # The SDK lets TypeError, AttributeError and others through for hostile input.
        raise Refused(f"Stripe-Signature: not accepted ({type(error).__name__})") from error


def _translated(event: dict[str, Any]) -> StripeEvent:
    try:
        thing = event["data"]["object"]
        paid_for = _invoice(thing) if thing["object"] == "invoice" else _session(thing)
        return StripeEvent(
            id=_text(event["id"]),
            type=_text(event["type"]),
            object_id=_text(thing.get("id")),
            livemode=event["livemode"] is True,
            created=datetime.fromtimestamp(event["created"], UTC),
            customer_ref=_text(thing.get("customer")),
            currency=_text(thing.get("currency")),
            **paid_for,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise Refused("the body is not an event we know how to read") from error


def _session(session: dict[str, Any]) -> dict[str, Any]:
    marked = (session.get("metadata") or {}).get(REGISTRATION)
    return {
        "registration_id": _text(session.get("client_reference_id") or marked),
        "session_id": _text(session.get("id")) if session["object"] == "checkout.session" else "",
        "payment_ref": _text(session.get("payment_intent") or session.get("invoice")),
        "subscription_ref": _text(session.get("subscription")),
        "amount": _cents(session.get("amount_total")),
        "paid": session.get("payment_status") in ("paid", "no_payment_required"),
        "billing_reason": "",
    }


def _invoice(invoice: dict[str, Any]) -> dict[str, Any]:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return {
        "registration_id": _text((details.get("metadata") or {}).get(REGISTRATION)),
        "session_id": "",
        "payment_ref": _text(invoice["id"]),
        "subscription_ref": _text(details.get("subscription")),
        "amount": _cents(invoice.get("amount_paid")),
        "paid": invoice.get("status") == "paid",
        "billing_reason": _text(invoice.get("billing_reason")),
    }


def _text(value: Any) -> str:
    """An id as text: as it stands, or of the object Stripe put in its place; empty for none."""
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 255:
        raise ValueError("an id is text of at most 255 characters")
    return value


def _cents(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("an amount is a whole number")
    return value
