"""The room itself: its address, and whose wallet is open."""

from __future__ import annotations

from flask import Blueprint

from portal.kernel.errors import NotYours
from portal.models import Consultant
from portal.ui.packs import own_consultant

wallets = Blueprint("wallets", __name__, url_prefix="/earnings")


def owner() -> Consultant:
    """The consultant who is signed in. Raises `NotYours` for others."""
    found = own_consultant()
    if found is None:
        raise NotYours("Only consultants have a wallet.")
    return found
