"""Every door has a sign: who may enter. A house test walks all doors and reads the signs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort, g, redirect, request, url_for
from flask_login import current_user
from flask_principal import Permission
from werkzeug.wrappers import Response

from portal.access import unsent
from portal.access.paths import own_path, path_of
from portal.access.sessions import confirmed_within
from portal.extensions import login_manager

View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[View], View]:
    """Let in who holds the permission; send strangers to sign in, show others the 403 page."""
    assert permission.needs, "an empty permission would let everybody in"

    def sign(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return login_manager.unauthorized()
            if not may(permission):
                abort(403)
            return view(*args, **kwargs)

        guarded.door = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return sign


def public(view: View) -> View:
    """Anyone may enter."""
    view.door = "public"  # type: ignore[attr-defined]
    return view


def require_recent_password(minutes: int = 10) -> Callable[[View], View]:
    """Ask for the password again where it was not entered in the last minutes; stands below `@requires`.

    The page asked for opens afterwards; what was written in a form is kept and sent on with one button.
    """

    def sign(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if confirmed_within(minutes) or request.method != "POST":
                unsent.forget()
            else:
                unsent.keep()
            if not confirmed_within(minutes):
                return redirect(url_for("auth.confirm", next=_this_page()), 303)
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return sign


def may(permission: Permission) -> bool:
    """Whether the person of this request holds the permission."""
    return bool(g.identity.can(permission))


@login_manager.unauthorized_handler
def send_to_sign_in() -> Response:
    """Strangers sign in first, and then see the page they asked for."""
    return redirect(url_for("auth.login", next=_this_page()), 303)


def _this_page() -> str:
    """The page in the browser's address bar, as far as this request tells."""
    if request.method == "GET" and "HX-Request" not in request.headers:
        return own_path(request.full_path.removesuffix("?"), otherwise="/")
    shown = request.headers.get("HX-Current-URL") or request.referrer
    return own_path(path_of(shown, host=request.host), otherwise="/")
