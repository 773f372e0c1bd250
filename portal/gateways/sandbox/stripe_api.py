"""The part of Stripe's HTTP interface that we use."""

from __future__ import annotations

from flask import Blueprint, Response, request

from portal.gateways.sandbox import charges
from portal.gateways.sandbox.calls import current_play, missing, performed, refused, sent
from portal.gateways.sandbox.known_parameters import refuse_unknown
from portal.gateways.sandbox.play import NotInThisState
from portal.gateways.sandbox.store import Answer, Books, Document
from portal.gateways.sandbox.stripe_form import BadRequest, checked_session, read_form

blueprint = Blueprint("stripe", __name__)


@blueprint.before_request
def check_key() -> Response | None:
    if request.headers.get("Authorization", "").startswith("Bearer sk_test_"):
        return None
    return sent(refused(401, "You did not provide a test key, such as sk_test_sandbox."))


@blueprint.post("/checkout/sessions")
def create_session() -> Response:
    from stripe.params.checkout import SessionCreateParams

    def effect(books: Books) -> Answer:
        play = current_play()
        parameters = read_form(request.form.items(multi=True))
        refuse_unknown(parameters, SessionCreateParams)
        return play.open_session(books, checked_session(parameters, now=play.now()))

    return performed("stripe.checkout.create", effect)


@blueprint.get("/checkout/sessions/<session_id>")
def get_session(session_id: str) -> Response:
    return performed("stripe.checkout.get", lambda books: Answer(200, _session(books, session_id)))


@blueprint.post("/checkout/sessions/<session_id>/expire")
def expire_session(session_id: str) -> Response:
    def effect(books: Books) -> Answer:
        session = _session(books, session_id)
        current_play().expire(books, session)
        return Answer(200, session)

    return performed("stripe.checkout.expire", effect)


@blueprint.post("/refunds")
def create_refund() -> Response:
    from stripe.params import RefundCreateParams

    def effect(books: Books) -> Answer:
        parameters = read_form(request.form.items(multi=True))
        refuse_unknown(parameters, RefundCreateParams)
        return charges.create_refund(current_play(), books, parameters)

    return performed("stripe.refunds.create", effect)


@blueprint.get("/refunds")
def list_refunds() -> Response:
    from stripe.params import RefundListParams

    def effect(books: Books) -> Answer:
        refuse_unknown(read_form(request.args.items(multi=True)), RefundListParams)
        return Answer(
            200, listed(charges.refunds_of_intent(books, request.args["payment_intent"]), "refunds")
        )

    return performed("stripe.refunds.list", effect)


@blueprint.post("/billing_portal/sessions")
def create_billing_session() -> Response:
    from stripe.params.billing_portal import SessionCreateParams

    def effect(books: Books) -> Answer:
        parameters = read_form(request.form.items(multi=True))
        refuse_unknown(parameters, SessionCreateParams)
        return current_play().open_billing(books, parameters)

    return performed("stripe.billing.create", effect)


@blueprint.get("/events")
def list_events() -> Response:
    from stripe.params import EventListParams

    refuse_unknown(read_form(request.args.items(multi=True)), EventListParams)
    return performed("stripe.events.list", lambda books: Answer(200, _page_of_events(books)))


@blueprint.get("/events/<event_id>")
def get_event(event_id: str) -> Response:
    def effect(books: Books) -> Answer:
        event = books.find("event", event_id)
        return Answer(200, event) if event else missing("event", event_id)

    return performed("stripe.events.get", effect)


@blueprint.route("/<path:path>", methods=["GET", "POST"])
def unknown_route(path: str) -> Response:
    return sent(refused(404, f"Unrecognized request URL ({request.method}: /v1/{path})."))


@blueprint.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> Response:
    return sent(refused(400, error.message, parameter=error.parameter, code=error.code))


@blueprint.errorhandler(NotInThisState)
def not_in_this_state(error: NotInThisState) -> Response:
    return sent(refused(400, 'Only Checkout Sessions with a status in ["open"] can be expired.'))


def _session(books: Books, session_id: str) -> Document:
    session = current_play().session(books, session_id)
    if session is None:
        raise BadRequest(f"No such checkout.session: {session_id}", parameter="id", code="resource_missing")
    return session


def _page_of_events(books: Books) -> Document:
    """Newest first, by account, type, moment and cursor, as far as the SDK's paging needs."""
    whose = _account_asked_for(books)
    wanted = request.args
    kinds = {value for name, value in wanted.items(multi=True) if name == "type" or name.startswith("types[")}
    since = int(wanted.get("created[gte]", "0"))
    events = [
        event
        for event in books.newest("event", limit=10_000)
        if event.get("account", "") == whose
        and (not kinds or event["type"] in kinds)
        and event["created"] >= since
    ]
    return listed(events, "events")


def _account_asked_for(books: Books) -> str:
    """In whose name the call is made; empty for the platform's own. Raises `BadRequest`."""
    named = request.headers.get("Stripe-Account", "")
    if named and books.find("account", named) is None:
        raise BadRequest(
            f"The provided key does not have access to account '{named}' (or that account does not exist).",
            code="account_invalid",
        )
    return named


def listed(things: list[Document], path: str) -> Document:
    """One page of a list, by cursor and limit."""
    ids = [thing["id"] for thing in things]
    cursor = request.args.get("starting_after", "")
    start = ids.index(cursor) + 1 if cursor in ids else 0
    limit = min(int(request.args.get("limit", "10")), 100)
    page = things[start : start + limit]
    return {"object": "list", "url": f"/v1/{path}", "has_more": start + limit < len(things), "data": page}
