"""The part of Stripe's HTTP interface that tells what was kept: intents, refunds and disputes, expanded."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from portal.gateways.sandbox import balance
from portal.gateways.sandbox.calls import missing, performed
from portal.gateways.sandbox.known_parameters import refuse_unknown
from portal.gateways.sandbox.store import Answer, Books, Document
from portal.gateways.sandbox.stripe_api import bad_request, check_key, listed
from portal.gateways.sandbox.stripe_form import BadRequest, read_form

blueprint = Blueprint("stripe_balance", __name__)
blueprint.before_request(check_key)
blueprint.register_error_handler(BadRequest, bad_request)

_EXPANDED = {"latest_charge": "charge", "balance_transaction": "balance_transaction"}
_EXPANDED["failure_balance_transaction"] = "balance_transaction"


@blueprint.get("/payment_intents/<intent_id>")
def get_intent(intent_id: str) -> Response:
    from stripe.params import PaymentIntentRetrieveParams

    return _told("payment_intent", intent_id, PaymentIntentRetrieveParams)


@blueprint.get("/refunds/<refund_id>")
def get_refund(refund_id: str) -> Response:
    from stripe.params import RefundRetrieveParams

    return _told("refund", refund_id, RefundRetrieveParams)


@blueprint.get("/disputes/<dispute_id>")
def get_dispute(dispute_id: str) -> Response:
    from stripe.params import DisputeRetrieveParams

    return _told("dispute", dispute_id, DisputeRetrieveParams)


@blueprint.get("/charges")
def list_charges() -> Response:
    from stripe.params import ChargeListParams

    refuse_unknown(read_form(request.args.items(multi=True)), ChargeListParams)
    since = int(request.args.get("created[gte]", "0"))

    def effect(books: Books) -> Answer:
        found = [each for each in books.newest("charge", limit=100_000) if each["created"] >= since]
        return Answer(200, listed(found, "charges"))

    return performed("stripe.charges.list", effect)


@blueprint.get("/balance")
def get_balance() -> Response:
    def effect(books: Books) -> Answer:
        available = [{"amount": balance.platform_funds(books), "currency": "usd", "source_types": {}}]
        return Answer(200, {"object": "balance", "livemode": False, "available": available, "pending": []})

    return performed("stripe.balance.get", effect)


def _told(kind: str, thing_id: str, known: type) -> Response:
    parameters = read_form(request.args.items(multi=True))
    refuse_unknown(parameters, known)

    def effect(books: Books) -> Answer:
        thing = books.find(kind, thing_id)
        if thing is None:
            return missing(kind, thing_id)
        for path in parameters.get("expand") or []:
            _expand(books, thing, path.split("."))
        return Answer(200, thing)

    return performed(f"stripe.{kind}s.get", effect)


def _expand(books: Books, thing: Document, path: list[str]) -> None:
    """Put objects in the place of their ids along a path. Raises `BadRequest` for what cannot be expanded."""
    name, *rest = path
    if name not in _EXPANDED:
        raise BadRequest(f"This property cannot be expanded ({name}).", parameter="expand")
    value: Any = thing.get(name)
    inner = books.find(_EXPANDED[name], value) if isinstance(value, str) else value
    if inner is None:
        return
    thing[name] = inner
    if rest:
        _expand(books, inner, rest)
