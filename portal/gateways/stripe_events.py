"""Stripe's signed events: believed when everything is right, and told in our words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from portal.gateways.errors import Refused
from portal.gateways.stripe_objects import READERS, marks_of, moment, text
from portal.kernel.clock import utc_now

TOLERANCE_SECONDS = 300
LONGEST_ID = 255

_TIMESTAMP = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)")


@dataclass(frozen=True)
class StripeEvent:
    """A signed event, in our words. What an event does not carry is empty.

    `amount` is in cents of `currency` (lower case). `payment_ref` is the payment intent, or the invoice where
    a subscription is paid: the completed Checkout and the first `invoice.paid` carry the same one.
    `intent_ref` is the payment intent alone, which refunds and disputes name. `paid`: the money is there (a
    completed Checkout can still wait for the bank). `status` is the object's own. `billing_reason` of an
    invoice is `subscription_create` for the first and `subscription_cycle` for a renewal. `account` is the
    connected account it came for, `object_created` when the object was made. `belongs_to` is the object
    whose story it is part of.
    """

    id: str
    type: str
    object_id: str
    livemode: bool
    created: datetime
    account: str = ""
    registration_id: str = ""
    order_id: str = ""
    request_id: str = ""
    session_id: str = ""
    payment_ref: str = ""
    intent_ref: str = ""
    subscription_ref: str = ""
    customer_ref: str = ""
    amount: int = 0
    currency: str = ""
    paid: bool = False
    status: str = ""
    reason: str = ""
    billing_reason: str = ""
    paid_until: datetime | None = None
    ends_at: datetime | None = None
    object_created: datetime | None = None
    belongs_to: str = ""
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def object_ref(self) -> str:
        """Under which object the inbox keeps it."""
        return self.belongs_to or self.object_id


def read_event(
    raw_body: bytes, signature_header: str | None, secret: str, *, now: datetime | None = None
) -> StripeEvent:
    """The event in a webhook call, when `secret` signed it within 300 s of `now` (else of the house clock).

    Raises `Refused` for everything that is wrong with it.
    """
    _refuse_stale(signature_header or "", now or utc_now())
    return translated(_verified(raw_body, signature_header or "", secret))


def stored_event(raw_body: bytes) -> StripeEvent:
    """The event in a body that was believed before."""
    return translated(json.loads(raw_body))


def translated(event: dict[str, Any]) -> StripeEvent:
    """An event as Stripe writes it, in our words. Raises `Refused` for what is no event."""
    try:
        thing = event["data"]["object"]
        reader = READERS.get(thing.get("object", ""))
        return StripeEvent(
            id=_id(event["id"]),
            type=_id(event["type"]),
            object_id=_id(thing.get("id")),
            livemode=event["livemode"] is True,
            created=datetime.fromtimestamp(event["created"], UTC),
            account=_id(event.get("account")),
            customer_ref=_id(thing.get("customer")),
            currency=text(thing.get("currency")),
            status=text(thing.get("status")),
            object_created=moment(thing.get("created")),
            marks=marks_of(thing),
            **(reader(thing) if reader else {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise Refused("the body is not an event we know how to read") from error


def _id(value: Any) -> str:
    found = text(value)
    if len(found) > LONGEST_ID:
        raise ValueError(f"an id is text of at most {LONGEST_ID} characters")
    return found


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
