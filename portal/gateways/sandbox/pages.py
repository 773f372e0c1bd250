"""The pages of the sandbox: paying with a test card, and the mailbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.gateways.sandbox import charges, monthly
from portal.gateways.sandbox.play import DECLINES, PAYS, Declined, NotInThisState, Play
from portal.gateways.sandbox.store import Books, Document
from portal.gateways.sandbox.stripe_objects import PRIVATE
from portal.kernel.money import format_money

blueprint = Blueprint("pages", __name__)

ACTS: dict[str, Callable[[Play, Books, Document], object]] = {
    "arrive": Play.arrive,
    "not-arrive": Play.fail_to_arrive,
    "expire": Play.expire,
    "renew": monthly.renew,
    "fail-renewal": monthly.fail_renewal,
    "pay-late": monthly.pay_late,
    "call-off": monthly.call_off,
    "end": monthly.end,
    "refund": charges.refund_all,
    "refund-part": charges.refund_part,
    "fail-refund": charges.fail_refund,
    "dispute": charges.dispute,
    "win": charges.win,
    "lose": charges.lose,
}

_SHOWN = 200
# A mail may be styled within itself; it can run nothing, load nothing and reach nothing around it.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.get("/")
def index() -> str:
    """The newest test payments."""
    with _play().store.writing() as books:
        _play().expire_due(books)
        sessions = books.newest("session", limit=_SHOWN)
    _play().courier.wake()
    return render_template("sandbox/index.html", sessions=sessions)


@blueprint.get("/checkout/<session_id>")
def checkout(session_id: str) -> ResponseReturnValue:
    with _play().store.writing() as books:
        session = _session(books, session_id)
    _play().courier.wake()
    return _checkout_page(session)


@blueprint.post("/checkout/<session_id>/pay")
def pay(session_id: str) -> ResponseReturnValue:
    card = "".join(letter for letter in request.form.get("card", "") if letter not in " -")
    try:
        session = _act(session_id, lambda books, session: _play().pay(books, session, card=card))
    except Declined as declined:
        with _play().store.reading() as books:
            return _checkout_page(_session(books, session_id), error=str(declined)), 402
    return _onward(session)


@blueprint.post("/checkout/<session_id>/bank")
def pay_by_bank(session_id: str) -> ResponseReturnValue:
    return _onward(_act(session_id, _play().pay_by_bank))


@blueprint.post("/checkout/<session_id>/<act>")
def act(session_id: str, act: str) -> ResponseReturnValue:
    """One of the things that can happen to a session, a charge or a subscription."""
    if act not in ACTS:
        abort(404)
    return _back(_act(session_id, partial(ACTS[act], _play())))


@blueprint.get("/billing/<session_id>")
def billing(session_id: str) -> ResponseReturnValue:
    """The customer portal: card and subscription."""
    with _play().store.reading() as books:
        page = books.find("billing_session", session_id)
        session = monthly.session_of_customer(books, page["customer"]) if page else None
        subscription = books.find("subscription", session["subscription"]) if session else None
    if page is None:
        abort(404)
    return render_template("sandbox/billing.html", page=page, subscription=subscription)


@blueprint.post("/billing/<session_id>/cancel")
def call_off(session_id: str) -> ResponseReturnValue:
    """End the subscription when the paid month is over."""
    play = _play()
    with play.store.writing() as books:
        page = books.find("billing_session", session_id)
        session = monthly.session_of_customer(books, page["customer"]) if page else None
        if session is None:
            abort(404)
        monthly.call_off(play, books, session)
    play.courier.wake()
    return redirect(url_for("pages.billing", session_id=session_id), 303)


@blueprint.get("/mailbox")
def mailbox() -> str:
    with _play().store.reading() as books:
        return render_template("sandbox/mailbox.html", mails=books.newest("mail", limit=_SHOWN))


@blueprint.get("/mailbox/<mail_id>")
def mail(mail_id: str) -> str:
    return render_template("sandbox/mail.html", mail=_mail(mail_id))


@blueprint.get("/mailbox/<mail_id>/html")
def mail_html(mail_id: str) -> Response:
    """The HTML of a mail alone, for the frame; its links open beside."""
    html = str(_mail(mail_id)["html"]).replace("<head>", '<head><base target="_blank">', 1)
    response = make_response(html)
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@blueprint.errorhandler(NotInThisState)
def not_in_this_state(error: NotInThisState) -> ResponseReturnValue:
    """Two clicks at once: show where the thing is now."""
    session_id = (request.view_args or {})["session_id"]
    page = "pages.billing" if request.endpoint == "pages.call_off" else "pages.checkout"
    return redirect(url_for(page, session_id=session_id), 303)


def policy() -> str:
    """The Content-Security-Policy of a page; its forms may end at the shop that opened the session."""
    targets = " ".join(["'self'", *sorted(g.get("shops", ()))])
    return (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; frame-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


def money(cents: int, currency: str) -> str:
    return format_money(cents, currency.upper())


def second(at: int) -> str:
    """A moment for people, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _checkout_page(session: Document, *, error: str = "") -> str:
    g.shops = {origin(url) for url in (session["success_url"], session["cancel_url"]) if url}
    return render_template(
        "sandbox/checkout.html",
        session=session,
        lines=session[PRIVATE]["lines"],
        onward=_success_url(session),
        error=error,
        pays=_spaced(PAYS),
        declines=_spaced(DECLINES),
    )


def _act(session_id: str, act: Callable[[Books, Document], object]) -> Document:
    play = _play()
    with play.store.writing() as books:
        session = _session(books, session_id)
        act(books, session)
    play.courier.wake()
    return session


def _session(books: Books, session_id: str) -> Document:
    session = _play().session(books, session_id)
    if session is None:
        abort(404)
    return session


def _mail(mail_id: str) -> Document:
    with _play().store.reading() as books:
        found = books.find("mail", mail_id)
    if found is None:
        abort(404)
    return found


def _onward(session: Document) -> ResponseReturnValue:
    return redirect(_success_url(session), 303)


def _back(session: Document) -> ResponseReturnValue:
    return redirect(url_for("pages.checkout", session_id=session["id"]), 303)


def _success_url(session: Document) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _spaced(card: str) -> str:
    return " ".join(card[start : start + 4] for start in range(0, len(card), 4))


def origin(url: str) -> str:
    """Scheme and host of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _play() -> Play:
    play: Play = current_app.extensions["sandbox"]
    return play
