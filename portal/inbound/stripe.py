"""Stripe's door: who sends here proves it with a signature over the raw body."""

from __future__ import annotations

from contextlib import suppress

from flask import Response, current_app, jsonify, request

from portal.access.guard import public
from portal.config import Settings
from portal.gateways import stripe_events
from portal.gateways.errors import Refused
from portal.gateways.stripe_events import StripeEvent
from portal.inbound.room import answers_plainly, body_of_at_most, inbound
from portal.store import perform
from portal.store.inbox import STRIPE, Arrival, receive
from portal.store.wake import wake
from portal.ui.problems import problem

MOST_BYTES = 512 * 1024


@inbound.post("/webhooks/stripe")
@public
@answers_plainly
def take_stripe_event() -> Response:
    """One signed event of Stripe: 200, or 400 with the reason and nothing stored."""
    body = body_of_at_most(MOST_BYTES)
    settings: Settings = current_app.config["SETTINGS"]
    try:
        event = _believed(body, request.headers.get("Stripe-Signature"), settings)
    except Refused as refused:
        return problem(400, refused.reason)
    if settings.production and not event.livemode:
        return problem(400, "This is a test event, and here money is real.")
    arrival = Arrival(
        source=STRIPE,
        event_id=event.id,
        kind=event.type,
        body=body,
        object_ref=event.object_ref,
        account=event.account,
    )
    if perform(lambda uow: receive(uow, arrival=arrival)).is_new:
        wake()
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
