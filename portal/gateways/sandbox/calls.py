"""How one call to the test Stripe runs: its fault, the stored answer of its key, its effect, its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, current_app, jsonify, request

from portal.gateways.sandbox.faults import Fault, next_fault
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Answer, Books, new_id
from portal.gateways.sandbox.stripe_objects import public

KEYS_LIVE_SECONDS = 24 * 3600
_BROKEN = Answer(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})
_BUSY = Answer(
    429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}}
)
_OTHER_PARAMETERS = (
    "Keys for idempotent requests can only be used with the same parameters they were first used with."
)


def performed(operation: str, effect: Callable[[Books], Answer]) -> Response:
    """One call: its fault, if one is ordered; then the stored answer of its key, or the effect."""
    play = current_play()
    fault = next_fault(play.store, operation)
    fault.strike_before()
    if fault.kind == "429":
        return sent(_BUSY)
    with play.store.writing() as books:
        answer = _once(books, fault, effect, now=play.now())
    play.courier.wake()
    fault.strike_after()
    return sent(answer)


def _once(books: Books, fault: Fault, effect: Callable[[Books], Answer], *, now: int) -> Answer:
    """Stripe's rule: the first answer under a key, a 500 too, is the answer for a day."""
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    fingerprint = hashlib.sha256(f"{request.path}\n{sorted(request.form.items(multi=True))}".encode())
    stored = books.answer(f"stripe {key}") if key else None
    if stored is not None and stored[2] > now - KEYS_LIVE_SECONDS:
        same = stored[0] == fingerprint.hexdigest()
        return stored[1] if same else refused(400, _OTHER_PARAMETERS, kind="idempotency_error")
    answer = _BROKEN if fault.kind == "500_before" else effect(books)
    if fault.kind == "500_after":
        answer = _BROKEN
    if key:
        books.keep_answer(f"stripe {key}", fingerprint.hexdigest(), answer, at=now)
    return answer


def missing(kind: str, thing_id: str) -> Answer:
    """There is no such thing."""
    return refused(404, f"No such {kind}: {thing_id}", parameter="id", code="resource_missing")


def refused(
    status: int, message: str, *, kind: str = "invalid_request_error", parameter: str = "", code: str = ""
) -> Answer:
    """An answer that says no, in Stripe's shape."""
    said = {"type": kind, "message": message, "param": parameter or None, "code": code or None}
    return Answer(status, {"error": {name: value for name, value in said.items() if value}})


def sent(answer: Answer) -> Response:
    """What goes over the wire: without what only the sandbox needs to know."""
    response = jsonify(public(answer.body))
    response.status_code = answer.status
    response.headers["Request-Id"] = new_id("req")
    return response


def current_play() -> Play:
    """The play of this sandbox."""
    play: Play = current_app.extensions["sandbox"]
    return play
