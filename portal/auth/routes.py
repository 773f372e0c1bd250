"""Pages and forms at the door."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, Response, make_response, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from portal.access import permissions, unsent
from portal.access.guard import public, requires
from portal.access.paths import own_path, path_of
from portal.auth import browsers, service
from portal.auth.forms import ConfirmForm, SignInForm
from portal.extensions import limiter
from portal.models import AccountUser
from portal.ui import show
from portal.ui.fields import TO_COMPLETE
from portal.ui.htmx import request
from portal.ui.setup import THEME_COOKIE, THEMES

YEAR_SECONDS = 365 * 24 * 3600
STAFF_START = "/admin"
CONSULTANT_START = "/home"
VENDOR_START = "/vendor"
COMPLIANCE_START = "/admin/licences"

auth = Blueprint("auth", __name__)
Form = TypeVar("Form", SignInForm, ConfirmForm)


@auth.get("/")
@public
def welcome() -> Answer:
    """What Canopy is, for those who are not signed in."""
    if current_user.is_authenticated:
        return redirect(_start(current_user), 303)
    return show("auth/welcome.html", "main")


@auth.get("/login")
@public
def login() -> Answer:
    if current_user.is_authenticated:
        return redirect(own_path(request.args.get("next"), otherwise=_start(current_user)), 303)
    form = SignInForm(formdata=None, next=own_path(request.args.get("next"), otherwise=""))
    return show("auth/login.html", "form", form=form)


@auth.post("/login")
@public
@limiter.limit("20 per minute; 200 per hour")
def sign_in() -> Answer:
    form = SignInForm()
    if not form.validate_on_submit():
        return show("auth/login.html", "form", status=422, form=_without_password(form))
    email = form.email.data.strip().lower()
    user = service.user_with_password(email, form.password.data, browser=browsers.mark_of(email))
    if user is None:
        form.form_errors.append(_wrong())
        return show("auth/login.html", "form", status=422, form=_without_password(form))
    start = own_path(form.next.data, otherwise=_start(user))
    service.begin(user, form.password.data)
    response = make_response(redirect(start, 303))
    browsers.remember(response, email)
    return response


@auth.post("/logout")
@public
def sign_out() -> Answer:
    service.end()
    response = redirect(url_for("auth.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@auth.get("/login/confirm")
@requires(permissions.signed_in)
def confirm() -> Answer:
    """The password once more, before money moves."""
    form = ConfirmForm(formdata=None, next=own_path(request.args.get("next"), otherwise=""))
    return show("auth/confirm.html", "form", form=form)


@auth.post("/login/confirm")
@requires(permissions.signed_in)
@limiter.limit("20 per minute; 200 per hour")
def confirm_password() -> Answer:
    form = ConfirmForm()
    if not form.validate_on_submit():
        return show("auth/confirm.html", "form", status=422, form=_without_password(form))
    email = current_user.email
    if service.user_with_password(email, form.password.data, browser=browsers.mark_of(email)) is None:
        form.form_errors.append(
            _("This is not your password. After several tries, please wait a few minutes.")
        )
        return show("auth/confirm.html", "form", status=422, form=_without_password(form))
    service.confirm()
    back = own_path(form.next.data, otherwise=_start(current_user))
    return redirect(url_for("auth.go_on", next=back) if unsent.waiting() else back, 303)


@auth.get("/login/go-on")
@requires(permissions.signed_in)
def go_on() -> Answer:
    """What was written before the password was asked for, and the button that sends it."""
    back = own_path(request.args.get("next"), otherwise=_start(current_user))
    found = unsent.waiting()
    if found is None:
        return redirect(back, 303)
    return show("auth/go_on.html", "main", unsent=found, back=back, to_complete=TO_COMPLETE)


@auth.post("/theme")
@public
def set_theme() -> Answer:
    """Light, dark, or as the device has it; kept by the browser."""
    back = request.form.get("next") or path_of(request.referrer, host=request.host)
    response: Response = make_response(redirect(own_path(back.removesuffix("?"), otherwise="/"), 303))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=YEAR_SECONDS,
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    return response


def _start(user: AccountUser) -> str:
    if user.roles - {"consultant", "vendor", "compliance"}:
        return STAFF_START
    if "compliance" in user.roles:
        return COMPLIANCE_START
    return VENDOR_START if "vendor" in user.roles else CONSULTANT_START


def _without_password(form: Form) -> Form:
    """A page never carries a password back; WTForms leaves the field empty, a copy in `data` would not be."""
    form.password.data = ""
    return form


def _wrong() -> str:
    return _("E-mail and password do not fit together. After several tries, please wait a few minutes.")
