"""A payout provider that is not Stripe: plain JSON, a token, an account name, an idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from portal.gateways.sandbox.calls import current_play
from portal.gateways.sandbox.faults import next_fault
from portal.gateways.sandbox.store import Answer, Books, Document, new_id

TOKEN = "test-token"
ACCOUNT = "canopy-test"

blueprint = Blueprint("http_provider", __name__)


@blueprint.before_request
def check_token() -> Response | None:
    if request.headers.get("Authorization") == f"Bearer {TOKEN}":
        return None
    return _sent(Answer(401, {"error": "bad_token"}))


@blueprint.post("/payouts")
def send() -> Response:
    """Pay once for each idempotency key; 202 with the id, 422 for what will never be paid."""
    return _performed("http.send", _pay)


@blueprint.get("/payouts")
def find() -> Response:
    """One payout by its reference, or all of a window of seconds since 1970."""
    reference = request.args.get("reference", "")
    operation = "http.lookup" if reference else "http.list"
    return _performed(operation, lambda books: _page(books, reference))


@blueprint.post("/payouts/<payout_id>/reverse")
def reverse(payout_id: str) -> Response:
    """The money comes back."""

    def effect(books: Books) -> Answer:
        found = books.find("http_payout", payout_id)
        if found is None:
            return Answer(404, {"error": "not_found"})
        found["status"] = "returned"
        books.save("http_payout", found)
        return Answer(200, found)

    return _performed("http.reverse", effect)


def _pay(books: Books) -> Answer:
    said: Any = request.get_json(silent=True)
    if not isinstance(said, dict) or said.get("account") != ACCOUNT:
        return Answer(422, {"error": "bad_request"})
    if said.get("currency") != "USD" or not isinstance(said.get("amount"), int) or said["amount"] <= 0:
        return Answer(422, {"error": "bad_amount"})
    if not said.get("destination") or str(said["destination"]).startswith("closed"):
        return Answer(422, {"error": "bad_destination"})
    kept = {name: said[name] for name in ("reference", "amount", "currency", "destination")}
    made = {"id": new_id("hp"), "status": "accepted", "created": current_play().now(), **kept}
    books.save("http_payout", made)
    return Answer(202, made)


def _page(books: Books, reference: str) -> Answer:
    since, until = int(request.args.get("since", "0")), int(request.args.get("until", str(2**62)))
    rows = [
        row
        for row in books.newest("http_payout", limit=100_000)
        if since <= row["created"] < until and reference in ("", row["reference"])
    ]
    return Answer(200, {"data": rows[::-1]})


def _performed(operation: str, effect: Callable[[Books], Answer]) -> Response:
    play = current_play()
    fault = next_fault(play.store, operation)
    fault.strike_before()
    if fault.kind == "429":
        return _sent(Answer(429, {"error": "too_many_requests"}))
    with play.store.writing() as books:
        answer = _once(books, effect, broken=fault.kind)
    fault.strike_after()
    return _sent(answer)


def _once(books: Books, effect: Callable[[Books], Answer], *, broken: str) -> Answer:
    """This provider keeps what it did, not that it failed: a 500 is not the answer for ever."""
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    print_of_body = hashlib.sha256(request.get_data()).hexdigest()
    stored = books.answer(f"http {key}") if key else None
    if stored is not None:
        return stored[1] if stored[0] == print_of_body else Answer(409, {"error": "key_reused"})
    if broken == "500_before":
        return Answer(500, {"error": "internal"})
    answer = effect(books)
    if key and answer.status < 400:
        books.keep_answer(f"http {key}", print_of_body, answer, at=current_play().now())
    return Answer(500, {"error": "internal"}) if broken == "500_after" else answer


def _sent(answer: Answer) -> Response:
    document: Document = answer.body
    response = jsonify(document)
    response.status_code = answer.status
    return response
