"""What stands outside the portal in these tests: local servers, the sandbox and those who use it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.gateways.brevo import BrevoMailer, Mail
from portal.gateways.stripe import CheckoutRequest, StripeGateway
from portal.gateways.stripe_events import StripeEvent, read_event

SECRET = "whsec_sandbox"


class Door:
    """The portal's webhook door: writes down what comes and answers what it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, str]] = []
        self.answers: Callable[[], int] = lambda: 200

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.calls.append((body, environ.get("HTTP_STRIPE_SIGNATURE", "")))
        start_response(f"{self.answers()} answer", [("Content-Length", "0"), ("Location", "/elsewhere")])
        return [b""]

    def events(self) -> list[StripeEvent]:
        """All that came, verified by the gateway."""
        return [read_event(body, signature, SECRET) for body, signature in self.calls]


@dataclass
class Outside:
    """The sandbox, the door it delivers to, and the ways people and programs use it.

    `shift` moves the sandbox's clock; `again` builds it once more over the same books, as a restart does.
    """

    address: str
    door: Door
    app: Flask
    shift: list[timedelta]
    again: Callable[[], Flask]

    def stripe(self, **options: Any) -> StripeGateway:
        options = {"retries": 0, "timeout_seconds": 5, **options}
        return StripeGateway("sk_test_sandbox", base_url=f"{self.address}/stripe", **options)

    def brevo(self, **options: Any) -> BrevoMailer:
        return BrevoMailer(
            "xkeysib-1", sender="Canopy <hello@example.com>", host=f"{self.address}/brevo/v3", **options
        )

    def order(self, operation: str, *faults: Any) -> None:
        """Let the next calls of an operation go wrong in these ways."""
        status, _ = self.post("/faults", as_json={"operation": operation, "faults": list(faults)})
        assert status == 200

    def post(self, path: str, fields: dict[str, str] | None = None, *, as_json: Any = None, **headers: str):
        """POST to a page of the sandbox without following: status and, for a redirect, its target."""
        data = urlencode(fields or {}).encode() if as_json is None else json.dumps(as_json).encode()
        kind = "application/x-www-form-urlencoded" if as_json is None else "application/json"
        request = urllib.request.Request(f"{self.address}{path}", data, {"Content-Type": kind, **headers})
        try:
            with _OPENER.open(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Location") or error.read().decode()

    def get(self, path: str) -> str:
        with _OPENER.open(f"{self.address}{path}", timeout=5) as answer:
            return answer.read().decode()

    def books(self, kind: str) -> list[dict[str, Any]]:
        """What the provider has: every document of a kind."""
        with self.app.extensions["sandbox"].store.reading() as books:
            return books.newest(kind)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


class _Quiet(WSGIRequestHandler):
    def log_request(self, *args, **kwargs):
        pass


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """A threaded werkzeug server on a free local port; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def a_checkout(**changes: Any) -> CheckoutRequest:
    fields = {
        "registration_id": "reg1",
        "name": "Plus+",
        "once_cents": 29_900,
        "monthly_cents": 0,
        "email": "dia@example.com",
        "success_url": "http://localhost:8000/join/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8000/join/pay",
        "idempotency_key": "registration-reg1-1",
    }
    return CheckoutRequest(**{**fields, **changes})


def a_mail(**changes: Any) -> Mail:
    fields = {
        "to_email": "ana@example.com",
        "to_name": "Ana",
        "subject": "Welcome",
        "html": "<html><head></head><body><script>top.x=1</script><p>Hello</p></body></html>",
        "text": "Hello",
        "idempotency_key": "welcome-1",
        "tags": ("welcome",),
    }
    return Mail(**{**fields, **changes})
