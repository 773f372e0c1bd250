"""The pages of the sandbox for accounts that are paid: onboarding, and what the bank does."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.gateways.sandbox import balance, connect, pages
from portal.gateways.sandbox.calls import current_play
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Books, Document
from portal.gateways.sandbox.stripe_objects import PRIVATE

blueprint = Blueprint("connect", __name__)

_SHOWN = 200
Act = Callable[[Play, Books, Document], object]


@blueprint.get("/")
def accounts() -> str:
    """Everybody who can be paid, what lies there, and what went to their banks."""
    with current_play().store.reading() as books:
        return render_template(
            "sandbox/accounts.html",
            accounts=[(each, each[PRIVATE]["balance"]) for each in books.newest("account", limit=_SHOWN)],
            payouts=books.newest("payout", limit=_SHOWN),
            funds=balance.platform_funds(books),
        )


@blueprint.get("/onboarding/<link_id>")
def onboarding(link_id: str) -> ResponseReturnValue:
    """Stripe's page for the person; an old or used link sends them back to ask for another."""
    with current_play().store.reading() as books:
        link = _link(books, link_id)
    if not _serves(link):
        return redirect(link[PRIVATE]["refresh_url"], 303)
    g.shops = {pages.origin(link[PRIVATE]["return_url"])}
    return render_template("sandbox/onboarding.html", link=link)


@blueprint.post("/onboarding/<link_id>")
def finish(link_id: str) -> ResponseReturnValue:
    """The person gave the details, or goes back without."""
    play = current_play()
    with play.store.writing() as books:
        link = _link(books, link_id)
        if not _serves(link):
            return redirect(link[PRIVATE]["refresh_url"], 303)
        if request.form.get("done") == "yes":
            connect.give_details(play, books, _account(books, link[PRIVATE]["account"]))
            link["expires_at"] = 0
            books.save("account_link", link)
    play.courier.wake()
    return redirect(link[PRIVATE]["return_url"], 303)


@blueprint.post("/accounts/<account_id>/pay-out")
def pay_out(account_id: str) -> ResponseReturnValue:
    return _act("account", account_id, connect.pay_out)


@blueprint.post("/accounts/<account_id>/close")
def close(account_id: str) -> ResponseReturnValue:
    return _act("account", account_id, connect.close)


@blueprint.post("/accounts/<account_id>/bank")
def bank(account_id: str) -> ResponseReturnValue:
    return _act("account", account_id, connect.change_bank)


@blueprint.post("/accounts/<account_id>/details")
def details(account_id: str) -> ResponseReturnValue:
    return _act("account", account_id, connect.give_details)


@blueprint.post("/payouts/<payout_id>/bounce")
def bounce(payout_id: str) -> ResponseReturnValue:
    return _act("payout", payout_id, connect.bounce)


@blueprint.post("/transfers/<transfer_id>/reverse")
def reverse(transfer_id: str) -> ResponseReturnValue:
    return _act("transfer", transfer_id, connect.reverse)


@blueprint.post("/funds")
def funds() -> ResponseReturnValue:
    """Let the platform have as many cents as the form says."""
    with current_play().store.writing() as books:
        balance.set_funds(books, int(request.form["cents"]))
        return jsonify(cents=balance.platform_funds(books))


def _act(kind: str, thing_id: str, act: Act) -> ResponseReturnValue:
    play = current_play()
    with play.store.writing() as books:
        found = books.find(kind, thing_id)
        if found is None:
            abort(404)
        act(play, books, found)
    play.courier.wake()
    return redirect(url_for("connect.accounts"), 303)


def _serves(link: Document) -> bool:
    return bool(link["expires_at"] > current_play().now())


def _link(books: Books, link_id: str) -> Document:
    found = books.find("account_link", link_id)
    if found is None:
        abort(404)
    return found


def _account(books: Books, account_id: str) -> Document:
    found = books.find("account", account_id)
    assert found is not None, "a link is of an account"
    return found
