"""/password/<token>: who was invited chooses a password; the link opens once."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from portal.access import one_time
from portal.access.guard import public
from portal.access.passwords import check_password, hash_password
from portal.access.sessions import change_password
from portal.auth.forms import FirstPasswordForm
from portal.auth.routes import auth
from portal.extensions import db, limiter
from portal.kernel.errors import BadInput, NotYours
from portal.models import AccountUser
from portal.store import UnitOfWork, perform
from portal.store.locks import lock_row
from portal.ui import show
from portal.ui.filters import worded


@auth.get("/password/<token>")
@public
@limiter.limit("20 per minute; 200 per hour")
def first_password(token: str) -> Response:
    """The form, or that the link is used or too old."""
    user = one_time.user_of(db.session(), token)
    return _page(token, user, FirstPasswordForm(formdata=None), status=200 if user else 404)


@auth.post("/password/<token>")
@public
@limiter.limit("20 per minute; 200 per hour")
def set_first_password(token: str) -> Answer:
    """Keep the password; every session that was open ends."""
    user, form = one_time.user_of(db.session(), token), FirstPasswordForm()
    if user is None:
        return _page(token, None, form, status=404)
    chosen = form.password.data or ""
    if form.validate_on_submit():
        try:
            check_password(chosen, about=(user.person.name, user.email))
            password_hash = hash_password(chosen)
            perform(lambda uow: _set(uow, token=token, password_hash=password_hash))
        except BadInput as refusal:
            form.password.errors = [worded(refusal.message)]
        else:
            flash(_("Your password is kept. Please sign in with it."), "ok")
            return redirect(url_for("auth.login"), 303)
    form.password.data = ""
    return _page(token, user, form, status=422)


def _set(uow: UnitOfWork, *, token: str, password_hash: str) -> None:
    """Once: whoever comes second with the same link finds a user whose password is another."""
    found = one_time.user_of(uow.session, token)
    if found is None or lock_row(uow, AccountUser, found.id) != one_time.user_of(uow.session, token):
        raise NotYours("This link was used already.")
    change_password(uow, user_id=found.id, password_hash=password_hash)
    uow.note("password set", thing="account_user", thing_id=found.id, actor_id=found.id)


def _page(token: str, user: AccountUser | None, form: FirstPasswordForm, *, status: int) -> Response:
    email = user.email if user else ""
    return show("auth/first_password.html", "form", status=status, email=email, form=form, token=token)
