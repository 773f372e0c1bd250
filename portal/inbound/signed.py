"""Who knocks here as a vendor proves it: a signature over id, time and body by one of its live keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Response, abort, request

from portal.extensions import db
from portal.gateways import vendor_signatures
from portal.gateways.errors import Refused
from portal.inbound.queries import vendor_and_secrets
from portal.inbound.room import REFUSALS, REQUESTS, body_of_at_most
from portal.kernel.clock import utc_now
from portal.store.inbox import vendor_source
from portal.ui import rates
from portal.ui.problems import problem

JSON: Final = "application/json"

View = TypeVar("View", bound=Callable[..., Response])


@dataclass(frozen=True)
class Message:
    """What a vendor sent and signed, under the id it gave it."""

    vendor_id: int
    id: str
    body: bytes

    @property
    def source(self) -> str:
        return vendor_source(self.vendor_id)


def signed(*, most_bytes: int = 0) -> Callable[[View], View]:
    """Give the view the vendor's `Message` for the id in its address; without bytes it takes no body.

    What is too large is refused before anything is read, what is not JSON before the signature, and a
    stranger like a vendor with a wrong key.
    """

    def sign(view: View) -> View:
        @wraps(view)
        def door(public_id: str, **more: Any) -> Response:
            body = body_of_at_most(most_bytes)
            if most_bytes:
                _check_form()
            message = _believed(public_id, body)
            rates.spend(REQUESTS, message.source)
            return view(message, **more)

        return door  # type: ignore[return-value]

    return sign


def _check_form() -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        plain = {"Accept-Encoding": "identity"}
        abort(problem(415, "Please send the body as it is, without Content-Encoding.", headers=plain))
    if request.mimetype != JSON:
        abort(problem(415, f"Please send JSON, as Content-Type: {JSON}."))


def _believed(public_id: str, body: bytes) -> Message:
    address = request.remote_addr or ""
    if wait := rates.wait_for(REFUSALS, address):
        abort(problem(429, "Too many refused signatures from here.", headers={"Retry-After": str(wait)}))
    vendor_id, secrets = vendor_and_secrets(db.session(), public_id)
    try:
        message_id = vendor_signatures.verify(secrets, dict(request.headers), body, utc_now())
    except Refused as refused:
        rates.count(REFUSALS, address)
        abort(problem(401, refused.reason))
    assert vendor_id is not None, "without a vendor there is no key that fits"
    return Message(vendor_id, message_id, body)
