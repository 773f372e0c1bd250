"""/earnings/lost: what caps, flushes and limits took from the reader."""

from __future__ import annotations

from flask import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions.breakage import own_held, own_losses
from portal.extensions import db
from portal.ui import show
from portal.ui.losses import LOSSES
from portal.wallets.room import owner, wallets


@wallets.get("/lost")
@requires(permissions.see_own_business)
def lost() -> Response:
    """What the last closed cycle held back, and cycle by cycle what each rule took for good."""
    session, who = db.session(), owner().id
    held = own_held(session, who)
    return show("wallets/lost.html", "main", rows=own_losses(session, who), held=held, words=LOSSES)
