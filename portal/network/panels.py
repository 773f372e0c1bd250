"""What the team brings to the home page: people who wait for a spot."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from portal.extensions import db
from portal.members import queries as members
from portal.models import Consultant
from portal.ui.panels import Panel, register_panel


def load_waiting(consultant_id: int) -> Sequence[Consultant] | None:
    """Who waits to be placed; None when nobody does."""
    return members.waiting_people(db.session(), consultant_id) or None


register_panel(
    Panel(
        "waiting",
        _l("Waiting for a spot"),
        15,
        "place own people",
        "network/panels/waiting.html",
        load_waiting,
    )
)
