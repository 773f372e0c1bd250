"""The part of Stripe's HTTP interface that we use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Blueprint, Response, current_app, jsonify, request

from portal.gateways.sandbox.faults import Fault, next_fault
from portal.gateways.sandbox.known_parameters import refuse_unknown
from portal.gateways.sandbox.play import NotInThisState, Play
from portal.gateways.sandbox.store import Answer, Books, Document, new_id
from portal.gateways.sandbox.stripe_form import BadRequest, checked_session, read_form
from portal.gateways.sandbox.stripe_objects import public

blueprint = Blueprint("stripe", __name__)

_BROKEN = Answer(500, {"error": {"type": "api_error", "message": "An unknown error occurred."}})
_BUSY = Answer(
    429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}}
)
_OTHER_PARAMETERS = (
    "Keys for idempotent requests can only be used with the same parameters they were first used with."
)


@blueprint.before_request
def check_key() -> Response | None:
    if request.headers.get("Authorization", "").startswith("Bearer sk_test_"):
        return None
    return _sent(_error(401, "You did not provide a test key, such as sk_test_sandbox."))


@blueprint.post("/checkout/sessions")
def create_session() -> Response:
    from stripe.params.checkout import SessionCreateParams

    def effect(books: Books) -> Answer:
        play = _play()
        parameters = read_form(request.form.items(multi=True))
        refuse_unknown(parameters, SessionCreateParams)
        return play.open_session(books, checked_session(parameters, now=play.now()))

    return _performed("stripe.checkout.create", effect)


@blueprint.get("/checkout/sessions/<session_id>")
def get_session(session_id: str) -> Response:
    return _performed("stripe.checkout.get", lambda books: Answer(200, _session(books, session_id)))


@blueprint.post("/checkout/sessions/<session_id>/expire")
def expire_session(session_id: str) -> Response:
    def effect(books: Books) -> Answer:
        session = _session(books, session_id)
        _play().expire(books, session)
        return Answer(200, session)

    return _performed("stripe.checkout.expire", effect)


@blueprint.get("/events")
def list_events() -> Response:
    return _performed("stripe.events.list", lambda books: Answer(200, _page_of_events(books)))


@blueprint.get("/events/<event_id>")
def get_event(event_id: str) -> Response:
    def effect(books: Books) -> Answer:
        event = books.find("event", event_id)
        return Answer(200, event) if event else _missing("event", event_id)

    return _performed("stripe.events.get", effect)


@blueprint.route("/<path:path>", methods=["GET", "POST"])
def unknown_route(path: str) -> Response:
    return _sent(_error(404, f"Unrecognized request URL ({request.method}: /v1/{path})."))


@blueprint.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> Response:
    return _sent(_error(400, error.message, parameter=error.parameter, code=error.code))


@blueprint.errorhandler(NotInThisState)
def not_in_this_state(error: NotInThisState) -> Response:
    return _sent(_error(400, 'Only Checkout Sessions with a status in ["open"] can be expired.'))


def _performed(operation: str, effect: Callable[[Books], Answer]) -> Response:
    """One call: its fault, if one is ordered; then the stored answer of its key, or the effect."""
    play = _play()
    fault = next_fault(play.store, operation)
    fault.strike_before()
    if fault.kind == "429":
        return _sent(_BUSY)
    with play.store.writing() as books:
        answer = _once(books, fault, effect, now=play.now())
    play.courier.wake()
    fault.strike_after()
    return _sent(answer)


def _once(books: Books, fault: Fault, effect: Callable[[Books], Answer], *, now: int) -> Answer:
    """Stripe's rule: the first answer under a key, a 500 too, is the answer for ever."""
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    fingerprint = hashlib.sha256(f"{request.path}\n{sorted(request.form.items(multi=True))}".encode())
    stored = books.answer(f"stripe {key}") if key else None
    if stored is not None:
        same = stored[0] == fingerprint.hexdigest()
        return stored[1] if same else _error(400, _OTHER_PARAMETERS, kind="idempotency_error")
    answer = _BROKEN if fault.kind == "500_before" else effect(books)
    if fault.kind == "500_after":
        answer = _BROKEN
    if key:
        books.keep_answer(f"stripe {key}", fingerprint.hexdigest(), answer, at=now)
    return answer


def _session(books: Books, session_id: str) -> Document:
    session = _play().session(books, session_id)
    if session is None:
        raise BadRequest(f"No such checkout.session: {session_id}", parameter="id", code="resource_missing")
    return session


def _page_of_events(books: Books) -> Document:
    """Newest first, by type, moment and cursor, as far as the SDK's paging needs."""
    wanted = request.args
    kinds = {value for name, value in wanted.items(multi=True) if name == "type" or name.startswith("types[")}
    since = int(wanted.get("created[gte]", "0"))
    events = [
        event
        for event in books.newest("event", limit=10_000)
        if (not kinds or event["type"] in kinds) and event["created"] >= since
    ]
    ids = [event["id"] for event in events]
    cursor = wanted.get("starting_after", "")
    start = ids.index(cursor) + 1 if cursor in ids else 0
    limit = min(int(wanted.get("limit", "10")), 100)
    page = events[start : start + limit]
    return {"object": "list", "url": "/v1/events", "has_more": start + limit < len(events), "data": page}


def _missing(kind: str, thing_id: str) -> Answer:
    return _error(404, f"No such {kind}: {thing_id}", parameter="id", code="resource_missing")


def _error(
    status: int, message: str, *, kind: str = "invalid_request_error", parameter: str = "", code: str = ""
) -> Answer:
    error = {"type": kind, "message": message, "param": parameter or None, "code": code or None}
    return Answer(status, {"error": {name: value for name, value in error.items() if value}})


def _sent(answer: Answer) -> Response:
    response = jsonify(public(answer.body))
    response.status_code = answer.status
    response.headers["Request-Id"] = new_id("req")
    return response


def _play() -> Play:
    play: Play = current_app.extensions["sandbox"]
    return play
