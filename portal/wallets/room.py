"""The room itself: its address, and whose wallet is open."""

from __future__ import annotations

from flask import Blueprint
from flask_login import current_user

from portal.extensions import db
from portal.models import Consultant
from portal.wallets import queries

wallets = Blueprint("wallets", __name__, url_prefix="/earnings")


def owner() -> Consultant:
    """The consultant who is signed in."""
    return queries.wallet_owner(db.session(), current_user.person_id)
