"""POST only, no session, no form: who sends here proves it with a signature over the raw body."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from werkzeug.exceptions import RequestEntityTooLarge

from portal.access.guard import public
from portal.config import Settings
from portal.extensions import csrf, db, limiter
from portal.gateways import stripe_events, vendor_events, vendor_signatures
from portal.gateways.errors import Refused
from portal.gateways.stripe_events import StripeEvent
from portal.inbound.queries import vendor_and_secrets
from portal.kernel.clock import utc_now
from portal.store import perform
from portal.store.inbox import STRIPE, Arrival, Receipt, receive, vendor_source
from portal.store.wake import wake
from portal.ui.problems import by_field, problem

VENDOR_RATE = "6000 per minute"
STRIPE_MOST_BYTES = 512 * 1024
COME_AGAIN = {"Retry-After": "10"}

inbound = Blueprint("inbound", __name__)
csrf.exempt(inbound)

View = TypeVar("View", bound=Callable[..., Response])


def answers_plainly(view: View) -> View:
    """Turn what may go wrong at a door into a problem answer with the reason."""

    @wraps(view)
    def answering(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except RequestEntityTooLarge:
            return problem(413, "The body is too large.")
        except RateLimitExceeded:
            return problem(429, "Too many events in a minute.", headers=COME_AGAIN)
        except (OperationalError, InterfaceError, PoolIsEmpty):
            current_app.logger.exception("inbox not reachable")
            return problem(503, "We cannot store the event now. Please send it again.", headers=COME_AGAIN)

    return answering  # type: ignore[return-value]


@inbound.post("/api/v1/vendors/<public_id>/events")
@public
@answers_plainly
def take_vendor_event(public_id: str) -> Response:
    """One signed event of a vendor: 202 new, 200 seen before, 4xx with the reason and nothing stored."""
    body = _body(vendor_events.MOST_BYTES)
    vendor_id, secrets = vendor_and_secrets(db.session(), public_id)
    now = utc_now()
    try:
        event_id = vendor_signatures.verify(secrets, dict(request.headers), body, now)
    except Refused as refused:
        return problem(401, refused.reason)
    assert vendor_id is not None, "without a vendor there is no key that fits"
    g.sender = vendor_source(vendor_id)
    return _store_vendor_event(vendor_id, event_id, body)


@inbound.post("/webhooks/stripe")
@public
@answers_plainly
def take_stripe_event() -> Response:
    """One signed event of Stripe: 200, or 400 with the reason and nothing stored."""
    body = _body(STRIPE_MOST_BYTES)
    settings: Settings = current_app.config["SETTINGS"]
    try:
        event = _believed(body, request.headers.get("Stripe-Signature"), settings)
    except Refused as refused:
        return problem(400, refused.reason)
    if settings.production and not event.livemode:
        return problem(400, "This is a test event, and here money is real.")
    _store(
        Arrival(
            source=STRIPE,
            event_id=event.id,
            kind=event.type,
            body=body,
            object_ref=event.object_ref,
            account=event.account,
        )
    )
    return jsonify(result="stored")


def _believed(body: bytes, header: str | None, settings: Settings) -> StripeEvent:
    """The event, when the secret of the endpoint it belongs to signed it. Raises `Refused`.

    Our own endpoint tells of our own account, the one for Connect of connected accounts, and never else.
    """
    for secret, of_others in ((settings.webhook_secret, False), (settings.connect_secret, True)):
        # Anybody can sign with an empty secret.
        with suppress(Refused):
            event = stripe_events.read_event(body, header, secret) if secret else None
            if event is not None and bool(event.account) == of_others:
                return event
    event = stripe_events.read_event(body, header, settings.webhook_secret)
    raise Refused(f"an event of the account {event.account} is not told to this endpoint")


def _sender() -> str:
    return str(g.sender)


def _rate() -> str:
    return str(current_app.config.get("VENDOR_RATE", VENDOR_RATE))


def _body(most_bytes: int) -> bytes:
    request.max_content_length = most_bytes
    return request.get_data(cache=False)


@limiter.limit(_rate, key_func=_sender)
def _store_vendor_event(vendor_id: int, event_id: str, body: bytes) -> Response:
    try:
        event = vendor_events.parse(body)
    except vendor_events.BadEvent as bad:
        return problem(422, "The event is not well formed.", errors=by_field(bad.faults))
    source = vendor_source(vendor_id)
    about = event.contract_ref or event.customer_ref
    receipt = _store(
        Arrival(source, event_id, kind=event.type, body=body, vendor_id=vendor_id, object_ref=about)
    )
    if not receipt.same_body:
        return problem(409, "This webhook-id came before with another body.")
    result, status = ("stored", 202) if receipt.is_new else ("seen before", 200)
    return make_response({"id": event_id, "result": result}, status)


def _store(arrival: Arrival) -> Receipt:
    receipt = perform(lambda uow: receive(uow, arrival=arrival))
    if receipt.is_new:
        wake()
    return receipt
