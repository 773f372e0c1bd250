"""Addresses that are told what happens: set up, tried out, watched, and told again."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.connections.forms import KIND_WORDS, STATE_WORDS, WebhookForm
from portal.connections.room import Place, on_both
from portal.extensions import db
from portal.integrations import deliveries, endpoints
from portal.integrations.endpoints import Mine, Wish
from portal.kernel.errors import DomainError
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request


@on_both("/webhooks")
def webhooks(place: Place) -> Response:
    """The addresses, and the form for another."""
    return _list(place, WebhookForm(formdata=None))


@on_both("/webhooks", post=True, recent=True)
def add_webhook(place: Place) -> Response:
    """Begin to tell an address; its secret is shown in this one answer."""
    form, actor_id = WebhookForm(), current_user.id
    if not form.validate_on_submit():
        return _list(place, form, status=422)
    loopback = current_app.config["SETTINGS"].webhooks_to_loopback
    wish = Wish(form.url.data or "", tuple(form.kinds.data or ()), loopback)

    def work(uow: UnitOfWork) -> tuple[str, str]:
        made = endpoints.add_endpoint(uow, consultant_id=place.consultant_id, wish=wish, actor_id=actor_id)
        return made.public_id, made.secret

    try:
        public_id, secret = perform(work)
    except DomainError as refusal:
        form.refuse(refusal)
        return _list(place, form, status=refusal.status)
    return _one(place, public_id, status=201, shown=secret)


@on_both("/webhooks/<hook>")
def webhook(place: Place, hook: str) -> Response:
    """One address: what it is told of, and what came of it."""
    return _one(place, hook)


@on_both("/webhooks/<hook>/rotate", post=True, recent=True)
def rotate_secret(place: Place, hook: str) -> Response:
    """A new secret, shown in this one answer."""
    mine = _mine(place, hook)
    secret = perform(lambda uow: endpoints.rotate_secret(uow, mine))
    return _one(place, hook, status=201, shown=secret)


@on_both("/webhooks/<hook>/switch", post=True)
def switch_webhook(place: Place, hook: str) -> AnyResponse:
    """Switch an address off, or on again."""
    mine, on = _mine(place, hook), request.form.get("to") == "on"
    perform(lambda uow: endpoints.enable(uow, mine) if on else endpoints.disable(uow, mine))
    flash(_("It is told again from now on.") if on else _("It is told nothing more."), "ok")
    return redirect(place.url("webhook", hook=hook), 303)


@on_both("/webhooks/<hook>/test", post=True)
def test_webhook(place: Place, hook: str) -> AnyResponse:
    """Tell an address that this is a test."""
    mine = _mine(place, hook)
    perform(lambda uow: deliveries.send_test(uow, endpoint=mine.locked(uow)))
    flash(_("A test is on its way. It stands first in the list."), "ok")
    return redirect(place.url("webhook", hook=hook), 303)


@on_both("/webhooks/<hook>/messages/<message>")
def webhook_message(place: Place, hook: str, message: str) -> Response:
    """One message: what was sent, and what was answered."""
    found = endpoints.endpoint_of(db.session(), hook, place.consultant_id)
    row = deliveries.delivery_of(db.session(), found.id, message)
    return show(
        "connections/message.html",
        "main",
        place=place,
        endpoint=found,
        row=row,
        sent=deliveries.body_bytes(row).decode(),
        message_id=deliveries.message_id(row),
        states=STATE_WORDS,
    )


@on_both("/webhooks/<hook>/messages/<message>/again", post=True)
def send_again(place: Place, hook: str, message: str) -> AnyResponse:
    """Send a message once more, under the same id."""
    mine = _mine(place, hook)
    perform(
        lambda uow: deliveries.replay(
            uow, endpoint=mine.locked(uow), public_id=message, actor_id=mine.actor_id
        )
    )
    flash(_("It is sent once more, under the same id."), "ok")
    return redirect(place.url("webhook_message", hook=hook, message=message), 303)


def _mine(place: Place, hook: str) -> Mine:
    return Mine(hook, place.consultant_id, current_user.id)


def _list(place: Place, form: WebhookForm, *, status: int = 200) -> Response:
    rows = endpoints.endpoints(db.session(), place.consultant_id)
    return show("connections/webhooks.html", "main", status=status, place=place, form=form, rows=rows)


def _one(place: Place, hook: str, *, status: int = 200, **context: Any) -> Response:
    session = db.session()
    found = endpoints.endpoint_of(session, hook, place.consultant_id)
    rows = deliveries.page_of(session, found.id, before=number(request.args, "before"))
    more = rows[deliveries.PAGE - 1].id if len(rows) > deliveries.PAGE else None
    return show(
        "connections/webhook.html",
        "main",
        status=status,
        place=place,
        endpoint=found,
        rows=rows[: deliveries.PAGE],
        more=more,
        kinds=KIND_WORDS,
        states=STATE_WORDS,
        **context,
    )
