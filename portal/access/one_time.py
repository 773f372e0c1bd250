"""Links that open one thing once: signed, short-lived, and worthless after the password they set."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from portal.kernel.clock import utc_now
from portal.models import AccountUser

LIVES = timedelta(days=3)


def password_link(user: AccountUser) -> str:
    """The address under which a user sets a password, once, within three days from now."""
    token = _signer().dumps(
        {"user": user.id, "mark": _mark(user), "until": int((utc_now() + LIVES).timestamp())}
    )
    # Mails are written outside of any request, where no address can be asked of the routes.
    return f"{current_app.config['SETTINGS'].base_url}/password/{token}"


def user_of(session: Session, token: str) -> AccountUser | None:
    """Whose link it is; None for one that is not ours, too old, used, or of a user who was shut out."""
    try:
        said = _signer().loads(token)
    except BadSignature:
        return None
    user = session.get(AccountUser, said["user"], populate_existing=True)
    late = utc_now().timestamp() > said["until"]
    return user if user is not None and user.is_active and not late and said["mark"] == _mark(user) else None


def _mark(user: AccountUser) -> str:
    """Changes with the password: a link that was used, or is older than the password, fits no more."""
    return hashlib.sha256(f"{user.id}|{user.email}|{user.password_hash}".encode()).hexdigest()[:32]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="first password")
