"""Browsers from which somebody has signed in before, so that strangers' guesses do not keep the owner out."""

from __future__ import annotations

import hashlib
import secrets

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

COOKIE = "canopy_browser"
YEAR_SECONDS = 365 * 24 * 3600


def mark_of(email: str) -> str:
    """The mark of this browser when this person has signed in here before, else empty."""
    try:
        kept = _signer().loads(request.cookies.get(_cookie(), ""))
    except BadSignature:
        return ""
    return str(kept["mark"]) if kept.get("who") == _who(email) else ""


def remember(response: Response, email: str) -> None:
    """Mark this browser as one that this person signs in from."""
    value = _signer().dumps({"who": _who(email), "mark": secrets.token_urlsafe(16)})
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        _cookie(), value, max_age=YEAR_SECONDS, secure=bool(secure), httponly=True, samesite="Lax"
    )


def _cookie() -> str:
    return f"__Host-{COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else COOKIE


def _who(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:24]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="known browser")
