"""What the team brings to the home page: people who wait for a spot, and the link to join by."""

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


def load_link(consultant_id: int) -> str:
    """The code at the end of the consultant's own link."""
    return db.session().get_one(Consultant, consultant_id).code


register_panel(
    Panel(
        "link",
        _l("Your link for new consultants"),
        40,
        "place own people",
        "network/panels/link.html",
        load_link,
        aside=True,
    )
)
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
