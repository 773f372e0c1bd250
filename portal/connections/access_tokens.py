"""Tokens with which programs of one's own call the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.connections.forms import COMPANY_SCOPE_WORDS, SCOPE_WORDS, TokenForm
from portal.connections.room import Place, on_both
from portal.extensions import db
from portal.integrations import tokens
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.store import perform
from portal.ui import show
from portal.ui.fields import chosen_from


@on_both("", company=permissions.connect_company)
def access_tokens(place: Place) -> Response:
    """One's own tokens, and the form for a new one."""
    return _page(place, _form(place, formdata=None))


@on_both("", company=permissions.connect_company, post=True, recent=True)
def make_token(place: Place) -> Response:
    """Make a token and show it in this one answer."""
    form, user_id = _form(place), current_user.id
    if not form.validate_on_submit():
        return _page(place, form, status=422)
    wish = form.wish()
    try:
        shown = perform(lambda uow: tokens.add_token(uow, user_id=user_id, wish=wish).text)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(place, form, status=refusal.status)
    return _page(place, _form(place, formdata=None), status=201, shown=shown)


@on_both("/tokens/<token>/revoke", company=permissions.connect_company, post=True)
def revoke_token(place: Place, token: str) -> AnyResponse:
    """End a token at once."""
    user_id = current_user.id
    perform(lambda uow: tokens.revoke_token(uow, user_id=user_id, public_id=token))
    flash(_("The token is revoked. Nothing can be done with it any more."), "ok")
    return redirect(place.url("access_tokens"), 303)


def _form(place: Place, **more: Any) -> TokenForm:
    form = TokenForm(**more)
    form.scopes.choices = chosen_from(_words(place))
    return form


def _words(place: Place) -> Mapping[str, Any]:
    """A token of the company reads everybody's, one of a consultant their own."""
    return COMPANY_SCOPE_WORDS if place.company else SCOPE_WORDS


def _page(place: Place, form: TokenForm, *, status: int = 200, **context: Any) -> Response:
    session, now = db.session(), utc_now()
    return show(
        "connections/tokens.html",
        "main",
        status=status,
        place=place,
        form=form,
        words=_words(place),
        live=tokens.live_tokens(session, current_user.id, now),
        over=tokens.over_tokens(session, current_user.id, now),
        **context,
    )
