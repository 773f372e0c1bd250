"""Faults on order: each operation has a queue of them, and every call takes the first one waiting."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

from flask import request

from portal.gateways.sandbox.store import Store

OPERATIONS = (
    "stripe.checkout.create",
    "stripe.checkout.get",
    "stripe.checkout.expire",
    "stripe.refunds.create",
    "stripe.refunds.list",
    "stripe.refunds.get",
    "stripe.payment_intents.get",
    "stripe.disputes.get",
    "stripe.charges.list",
    "stripe.billing.create",
    "stripe.events.list",
    "stripe.events.get",
    "stripe.accounts.create",
    "stripe.accounts.get",
    "stripe.account_links.create",
    "stripe.transfers.create",
    "stripe.transfers.get",
    "stripe.transfers.list",
    "stripe.reversals.create",
    "stripe.balance.get",
    "http.send",
    "http.lookup",
    "http.list",
    "http.reverse",
    "brevo.send",
    "brevo.list",
    "webhook",
)
CALL_FAULTS = ("ok", "drop_before", "drop_after", "500_before", "500_after", "429", "hang")
DELIVERY_FAULTS = ("ok", "duplicate", "reorder", "lost")
_LONGEST_HANG_SECONDS = 120


class BadFaults(Exception):
    """The order of faults cannot be read."""


class Dropped(ConnectionAbortedError):
    """The connection is closed; nothing can be sent any more."""


@dataclass(frozen=True)
class Fault:
    """One fault; `milliseconds` is how long a `hang` lasts, after the effect and before the answer."""

    kind: str
    milliseconds: int

    def strike_before(self) -> None:
        if self.kind == "drop_before":
            drop_connection()

    def strike_after(self) -> None:
        if self.kind == "drop_after":
            drop_connection()
        if self.kind == "hang":
            time.sleep(self.milliseconds / 1000)


def next_fault(store: Store, operation: str) -> Fault:
    with store.writing() as books:
        return Fault(*books.take_fault(operation))


def order_faults(store: Store, order: object) -> int:
    """Queue faults as `{"operation": …, "faults": ["drop_before", {"hang": 0.5}]}` says; how many wait.

    An order takes the place of the one before; an empty list clears the queue. Raises `BadFaults`.
    """
    if not isinstance(order, dict) or order.get("operation") not in OPERATIONS:
        raise BadFaults(f"operation must be one of {', '.join(OPERATIONS)}")
    operation = order["operation"]
    kinds = DELIVERY_FAULTS if operation == "webhook" else CALL_FAULTS
    listed = order.get("faults")
    if not isinstance(listed, list):
        raise BadFaults("faults must be a list")
    faults = [_read(entry, kinds) for entry in listed]
    with store.writing() as books:
        books.queue_faults(operation, faults)
    return len(faults)


def drop_connection() -> None:
    """Close the connection under this request without an answer, as a network does; raises `Dropped`.

    Werkzeug's server and gunicorn hand the socket over in the environ, and both take the failing write that
    follows as a client that went away. Where there is no socket (a test client) all that is seen is a 500.
    """
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    raise Dropped("dropped on order")


def _read(entry: object, kinds: tuple[str, ...]) -> tuple[str, int]:
    kind, seconds = entry, 0
    if isinstance(entry, dict) and len(entry) == 1:
        ((kind, seconds),) = entry.items()
    timed = isinstance(seconds, int | float) and 0 <= seconds <= _LONGEST_HANG_SECONDS
    if kind not in kinds or not timed:
        raise BadFaults(f'a fault is one of {", ".join(kinds)}, a hang as {{"hang": seconds}}')
    return str(kind), int(seconds * 1000)
