"""Whose link a browser followed: a signed cookie with a consultant's code, kept for thirty days."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

COOKIE = "canopy_invitation"
THIRTY_DAYS_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Kept:
    """The code of the consultant, and the side that the link carried: `left`, `right` or empty."""

    code: str
    side: str


def keep(response: Response, kept: Kept) -> None:
    """Keep in this browser whose link was followed."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        _cookie(),
        _signer().dumps({"code": kept.code, "side": kept.side}),
        max_age=THIRTY_DAYS_SECONDS,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def kept() -> Kept | None:
    """Whose link this browser followed; None where nobody's, or too long ago."""
    try:
        found = _signer().loads(request.cookies.get(_cookie(), ""), max_age=THIRTY_DAYS_SECONDS)
    except BadSignature:
        return None
    return Kept(str(found["code"]), str(found["side"]))


def _cookie() -> str:
    return f"__Host-{COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else COOKIE


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="invitation")
