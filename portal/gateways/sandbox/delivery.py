"""Signed webhooks on their way to the portal: tried until 2xx, by a thread that lives while any wait."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
import urllib.request

from portal.gateways.sandbox.store import Books, Document, Store
from portal.kernel.clock import Clock

REORDER_MILLISECONDS = 1000
_LEASE_MILLISECONDS = 30_000
_LONGEST_PAUSE_MILLISECONDS = 60_000
_FIRST_PAUSE_MILLISECONDS = 250
_TIMEOUT_SECONDS = 15


class _Straight(urllib.request.HTTPRedirectHandler):
    """A redirect is no answer, as with Stripe: it becomes an `HTTPError`, which is an `OSError`."""

    def redirect_request(self, *_: object) -> None:
        return None


# The portal is on this machine: a proxy of the surroundings must not be asked for it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight)


class Courier:
    """Carries events to one webhook address; any number of processes may run one over the same store."""

    def __init__(self, store: Store, *, url: str, secret: str, clock: Clock) -> None:
        self._store = store
        self._url = url
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._resumed = False

    def queue(self, books: Books, event: Document) -> None:
        """Plan the delivery of an event in the transaction that makes it; `wake` after the commit."""
        if not self._url:
            return
        kind, _ = books.take_fault("webhook")
        if kind == "lost":
            return
        now = _milliseconds()
        books.queue_delivery(event["id"], at=now + (REORDER_MILLISECONDS if kind == "reorder" else 0))
        if kind == "duplicate":
            books.queue_delivery(event["id"], at=now)

    def resume(self) -> None:
        """Once in a process: carry on with what an earlier one left."""
        if not self._resumed:
            self._resumed = True
            self.wake()

    def wake(self) -> None:
        """Look for due deliveries now."""
        with self._lock:
            self._bell.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
                self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be delivered by this process."""
        with self._lock:
            return self._thread is None

    def _run(self) -> None:
        while True:
            self._bell.clear()
            wait = self._deliver_due()
            with self._lock:
                if wait is None and not self._bell.is_set():
                    self._thread = None
                    return
            self._bell.wait(wait)

    def _deliver_due(self) -> float | None:
        """Deliver all that is due; the seconds until there is more, None for never."""
        while True:
            now = _milliseconds()
            with self._store.writing() as books:
                claim = books.claim_delivery(
                    now=now, lease=_LEASE_MILLISECONDS, horizon=2 * _LONGEST_PAUSE_MILLISECONDS
                )
                event = books.find("event", claim[1]) if claim else None
                next_at = books.next_delivery_at()
            if claim is None:
                return None if next_at is None else max(next_at - now, 10) / 1000
            serial, _, attempt = claim
            done = event is None or self._post(event)
            with self._store.writing() as books:
                books.settle_delivery(serial, done=done, next_at=_milliseconds() + _pause(attempt))

    def _post(self, event: Document) -> bool:
        body = json.dumps(event, indent=2)
        request = urllib.request.Request(
            self._url,
            data=body.encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signature(self._secret, body, int(self._clock().timestamp())),
                "User-Agent": "Stripe/1.0 (sandbox)",
            },
        )
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_SECONDS):
                return True
        except (OSError, http.client.HTTPException):
            return False


def signature(secret: str, body: str, timestamp: int) -> str:
    """The value of `Stripe-Signature`: HMAC-SHA256 over `timestamp.body`, in hex."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256)
    return f"t={timestamp},v1={digest.hexdigest()}"


def _pause(attempt: int) -> int:
    return min(_FIRST_PAUSE_MILLISECONDS * 2 ** min(attempt, 20), _LONGEST_PAUSE_MILLISECONDS)


def _milliseconds() -> int:
    """The machine's steady clock: pauses do not follow the clock of the house when that is set."""
    return time.monotonic_ns() // 1_000_000
