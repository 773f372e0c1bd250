"""Whose link somebody followed: a signed cookie, kept for thirty days."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.extensions import db
from portal.members import queries
from portal.members.service import Invitation
from portal.models import Consultant

COOKIE = "canopy_invitation"
THIRTY_DAYS_SECONDS = 30 * 24 * 3600
SIDES = {"left": "L", "right": "R"}


@dataclass(frozen=True)
class Invited:
    """The sponsor, and the side the link carried: `left`, `right` or empty."""

    sponsor: Consultant
    side: str

    def for_service(self) -> Invitation:
        return Invitation(sponsor_id=self.sponsor.id, leg_wish=SIDES.get(self.side))


def remember(response: Response, invited: Invited) -> None:
    """Keep the invitation in this browser."""
    value = _signer().dumps({"code": invited.sponsor.code, "side": invited.side})
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        _cookie(), value, max_age=THIRTY_DAYS_SECONDS, secure=secure, httponly=True, samesite="Lax"
    )


def remembered() -> Invited | None:
    """The invitation of this browser, as long as its sponsor is active."""
    try:
        kept = _signer().loads(request.cookies.get(_cookie(), ""), max_age=THIRTY_DAYS_SECONDS)
    except BadSignature:
        return None
    return read(str(kept["code"]), str(kept["side"]))


def read(code: str, side: str) -> Invited | None:
    """The invitation that a link makes; None when nobody active has the code."""
    sponsor = queries.sponsor_by_code(db.session(), code)
    return Invited(sponsor, side if side in SIDES else "") if sponsor else None


def _cookie() -> str:
    return f"__Host-{COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else COOKIE


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="invitation")
