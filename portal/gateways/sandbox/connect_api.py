"""The part of Stripe's HTTP interface that pays people: accounts, links, transfers, reversals."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, request

from portal.gateways.sandbox import connect
from portal.gateways.sandbox.calls import current_play, missing, performed
from portal.gateways.sandbox.known_parameters import refuse_unknown
from portal.gateways.sandbox.store import Answer, Books, Document
from portal.gateways.sandbox.stripe_api import bad_request, check_key
from portal.gateways.sandbox.stripe_form import BadRequest, read_form

blueprint = Blueprint("stripe_connect", __name__)
blueprint.before_request(check_key)
blueprint.register_error_handler(BadRequest, bad_request)


@blueprint.post("/accounts")
def create_account() -> Response:
    from stripe.params import AccountCreateParams

    def effect(books: Books) -> Answer:
        return connect.open_account(current_play(), books, _checked(AccountCreateParams))

    return performed("stripe.accounts.create", effect)


@blueprint.get("/accounts/<account_id>")
def get_account(account_id: str) -> Response:
    def effect(books: Books) -> Answer:
        account = books.find("account", account_id)
        return Answer(200, account) if account else missing("account", account_id)

    return performed("stripe.accounts.get", effect)


@blueprint.post("/account_links")
def create_link() -> Response:
    from stripe.params import AccountLinkCreateParams

    def effect(books: Books) -> Answer:
        base_url = current_app.config["PUBLIC_BASE_URL"]
        return connect.open_link(current_play(), books, _checked(AccountLinkCreateParams), base_url=base_url)

    return performed("stripe.account_links.create", effect)


@blueprint.post("/transfers")
def create_transfer() -> Response:
    from stripe.params import TransferCreateParams

    def effect(books: Books) -> Answer:
        return connect.transfer(current_play(), books, _checked(TransferCreateParams))

    return performed("stripe.transfers.create", effect)


@blueprint.get("/transfers/<transfer_id>")
def get_transfer(transfer_id: str) -> Response:
    def effect(books: Books) -> Answer:
        found = books.find("transfer", transfer_id)
        return Answer(200, found) if found else missing("transfer", transfer_id)

    return performed("stripe.transfers.get", effect)


@blueprint.get("/transfers")
def list_transfers() -> Response:
    return performed("stripe.transfers.list", lambda books: Answer(200, _page(books)))


@blueprint.post("/transfers/<transfer_id>/reversals")
def reverse_transfer(transfer_id: str) -> Response:
    from stripe.params import TransferReversalCreateParams

    def effect(books: Books) -> Answer:
        _checked(TransferReversalCreateParams)
        found = books.find("transfer", transfer_id)
        return connect.reverse(current_play(), books, found) if found else missing("transfer", transfer_id)

    return performed("stripe.reversals.create", effect)


def _checked(known: type) -> dict[str, Any]:
    parameters = read_form(request.form.items(multi=True))
    refuse_unknown(parameters, known)
    return parameters


def _page(books: Books) -> Document:
    """Newest first, by group or by moment, with the SDK's paging."""
    wanted = request.args
    group = wanted.get("transfer_group", "")
    since, until = int(wanted.get("created[gte]", "0")), int(wanted.get("created[lt]", str(2**62)))
    found = books.of_group("transfer", group) if group else books.newest("transfer", limit=100_000)
    shown = [each for each in found if since <= each["created"] < until]
    ids = [each["id"] for each in shown]
    cursor = wanted.get("starting_after", "")
    start = ids.index(cursor) + 1 if cursor in ids else 0
    end = start + min(int(wanted.get("limit", "10")), 100)
    page = shown[start:end]
    return {"object": "list", "url": "/v1/transfers", "has_more": end < len(shown), "data": page}
