"""Whose link somebody followed, and the side it carried."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from portal.extensions import db
from portal.members import queries
from portal.members.service import Invitation
from portal.models import Consultant
from portal.ui import invited as cookie

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
    cookie.keep(response, cookie.Kept(invited.sponsor.code, invited.side))


def remembered() -> Invited | None:
    """The invitation of this browser, as long as its sponsor is active."""
    kept = cookie.kept()
    return read(kept.code, kept.side) if kept else None


def read(code: str, side: str) -> Invited | None:
    """The invitation that a link makes; None when nobody active has the code."""
    sponsor = queries.sponsor_by_code(db.session(), code)
    return Invited(sponsor, side if side in SIDES else "") if sponsor else None
