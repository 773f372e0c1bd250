"""Stripe through its own SDK: opening pages, giving money back, asking for what we missed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portal.config import Settings
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe_balance import moves_of
from portal.gateways.stripe_connect import KINDS
from portal.gateways.stripe_events import translated
from portal.gateways.stripe_objects import ORDER, REFUND_REQUEST, REGISTRATION
from portal.kernel.provider_events import FoundEvent, MoneyMove

# The SDK takes 0.4 s to import, so that it is imported where it is first needed.
if TYPE_CHECKING:
    import stripe
    from stripe.params.checkout import SessionCreateParams

SANDBOX_KEY = "sk_test_sandbox"
EVENTS_A_PAGE = 100

# The sandbox is on this machine: a proxy of the surroundings must not be asked for it.
_PAST_PROXIES = {"no_proxy": "localhost,127.0.0.1,::1"}


@dataclass(frozen=True)
class CheckoutRequest:
    """What somebody is to pay on Stripe's page.

    `once_cents` is due now, `monthly_cents` now and every month after; one of them may be 0. It is for the
    registration or the order of this public id. `idempotency_key` is stored by the caller before the first
    try; the same request always carries the same key. `success_url` may hold `{CHECKOUT_SESSION_ID}`.
    """

    name: str
    once_cents: int
    email: str
    success_url: str
    cancel_url: str
    idempotency_key: str
    monthly_cents: int = 0
    registration_id: str = ""
    order_id: str = ""
    currency: str = "usd"


@dataclass(frozen=True)
class CheckoutPage:
    """An open Checkout page: Stripe's id of it and where to send the browser."""

    session_id: str
    url: str


@dataclass(frozen=True)
class Refunding:
    """A refund to be made: cents of a payment intent, under a key, marked with our own request."""

    intent_ref: str
    amount_cents: int
    request_id: str
    idempotency_key: str


class RefundRejected(Exception):
    """Stripe will not make this refund, now or later; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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

    def open_portal(self, *, customer_ref: str, return_url: str) -> str:
        """The address of Stripe's page on which a customer keeps card and subscription.

        Raises `ProviderUnavailable`.
        """
        import stripe

        try:
            session = self._client.v1.billing_portal.sessions.create(
                {"customer": customer_ref, "return_url": return_url}
            )
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        return session.url

    def refund(self, refunding: Refunding) -> str:
        """Give money back; Stripe's id of the refund. One call, no retries of its own.

        Raises `RefundRejected` where Stripe refuses, `ProviderUnavailable` where it is not known.
        """
        import stripe

        try:
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": refunding.intent_ref,
                    "amount": refunding.amount_cents,
                    "metadata": {REFUND_REQUEST: refunding.request_id},
                },
                {"idempotency_key": refunding.idempotency_key},
            )
        except (stripe.InvalidRequestError, stripe.CardError) as refusal:
            raise RefundRejected(f"{refusal.code or 'refused'}: {refusal.user_message or ''}") from refusal
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        return made.id

    def find_refund(self, *, intent_ref: str, request_id: str) -> str:
        """The refund of a payment intent that carries our request; empty where there is none.

        Raises `ProviderUnavailable`.
        """
        import stripe

        try:
            listed = self._client.v1.refunds.list({"payment_intent": intent_ref, "limit": 100})
            for made in listed.auto_paging_iter():
                if made.to_dict().get("metadata", {}).get(REFUND_REQUEST) == request_id:
                    return made.id
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        return ""

    def money_moves(self, kind: str, ref: str) -> list[MoneyMove]:
        """What Stripe booked for a payment intent (`payment`), a `refund` or a `dispute`, with its fees.

        Empty where it booked nothing yet, and for what it does not know. Raises `ProviderUnavailable`.
        """
        import stripe

        try:
            return moves_of(self._client, kind=kind, ref=ref)
        except stripe.InvalidRequestError as unknown:
            if unknown.code != "resource_missing":
                raise _unavailable(unknown) from unknown
            return []
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def events_since(self, since: datetime, account: str = "") -> Iterator[FoundEvent]:
        """Every event from a moment on, newest first, page by page. Raises `ProviderUnavailable`.

        Our own; or those about payouts of a connected `account`.
        """
        import stripe

        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": EVENTS_A_PAGE}
        options: Any = {"stripe_account": account} if account else {}
        if account:
            wanted["types"] = list(KINDS)
        try:
            for event in self._client.v1.events.list(wanted, options).auto_paging_iter():
                # Asked for in its account's name, an event does not say whose it is.
                yield _found({**event.to_dict(), **({"account": account} if account else {})})
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def charges_since(self, since: datetime) -> Iterator[FoundEvent]:
        """Every charge that succeeded from a moment on, as the event that would have told it, newest first.

        Raises `ProviderUnavailable`.
        """
        import stripe

        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": EVENTS_A_PAGE}
        try:
            for charge in self._client.v1.charges.list(wanted).auto_paging_iter():
                if charge.status == "succeeded":
                    name = f"{charge.id}-succeeded"
                    yield _found_as("charge.succeeded", name=name, thing=charge.to_dict())
        except stripe.StripeError as error:
            raise _unavailable(error) from error

    def page_event(self, session_id: str) -> FoundEvent | None:
        """What became of a Checkout page, as the event that would have told it.

        None while it is open, and for a page that Stripe does not know.

        Raises `ProviderUnavailable`.
        """
        import stripe

        try:
            session = self._client.v1.checkout.sessions.retrieve(session_id).to_dict()
        except stripe.InvalidRequestError as unknown:
            if unknown.code != "resource_missing":
                raise _unavailable(unknown) from unknown
            return None
        except stripe.StripeError as error:
            raise _unavailable(error) from error
        status = session["status"]
        if status == "open":
            return None
        kind = "completed" if status == "complete" else "expired"
        name = f"{session_id}-{status}-{session['payment_status']}"
        return _found_as(f"checkout.session.{kind}", name=name, thing=session)

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


def stripe_of(settings: Settings, **options: Any) -> StripeGateway:
    """Stripe as the settings have it: with their key, or the sandbox where there is none."""
    if settings.stripe_key:
        return StripeGateway(settings.stripe_key, **options)
    return StripeGateway(SANDBOX_KEY, base_url=f"{settings.base_url}/sandbox/stripe", **options)


def _session_parameters(request: CheckoutRequest) -> SessionCreateParams:
    items = []
    if request.once_cents:
        items.append(_line_item(request, request.name, cents=request.once_cents))
    if request.monthly_cents:
        monthly = _line_item(request, f"{request.name}, monthly", cents=request.monthly_cents)
        monthly["price_data"]["recurring"] = {"interval": "month"}
        items.append(monthly)
    if not items:
        raise ValueError("There is nothing to pay.")
    mark = {ORDER: request.order_id} if request.order_id else {REGISTRATION: request.registration_id}
    parameters: SessionCreateParams = {
        "mode": "subscription" if request.monthly_cents else "payment",
        "client_reference_id": request.order_id or request.registration_id,
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


def _found_as(kind: str, *, name: str, thing: dict[str, Any]) -> FoundEvent:
    """What was found of a thing, as an event of its own name."""
    told = {"created": thing["created"], "livemode": thing["livemode"], "data": {"object": thing}}
    return _found({"id": name, "type": kind, **told})


def _found(event: dict[str, Any]) -> FoundEvent:
    read = translated(event)
    return FoundEvent(
        id=read.id,
        type=read.type,
        created=read.created,
        body=json.dumps(event).encode(),
        object_ref=read.object_ref,
        account=read.account,
        live=read.livemode,
    )


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
