"""Every door has a sign: who may enter. A house test walks all doors and reads the signs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort, g
from flask_login import current_user
from flask_principal import Permission

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


def may(permission: Permission) -> bool:
    """Whether the person of this request holds the permission."""
    return bool(g.identity.can(permission))
