"""/earnings/lost: what caps, flushes and limits took from the reader."""

from __future__ import annotations

from flask import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions.breakage import own_losses
from portal.extensions import db
from portal.ui import show
from portal.ui.losses import LOSSES
from portal.wallets.room import owner, wallets


@wallets.get("/lost")
@requires(permissions.see_own_business)
def lost() -> Response:
    """Cycle by cycle, what each rule took."""
    return show("wallets/lost.html", "main", rows=own_losses(db.session(), owner().id), words=LOSSES)
