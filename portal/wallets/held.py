"""The panel of held sales on a consultant's home: what earns nothing yet, why, and what they can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _l

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Consultant
from portal.sales import held_queries
from portal.sales.held_queries import Held
from portal.ui.panels import Panel, register_panel

MOST_SHOWN = 3
REFUSED_FOR = timedelta(days=7)


def load_held(consultant_id: int) -> Sequence[Held] | None:
    """The newest held sales, and those refused within a week; None where there are none."""
    session = db.session()
    who = session.get_one(Consultant, consultant_id)
    found = held_queries.own(session, who, now=utc_now(), limit=MOST_SHOWN, refused_for=REFUSED_FOR)
    return found or None


register_panel(
    Panel("held", _l("Held sales"), 4, "see own business", "wallets/_held_panel.html", load_held, aside=True)
)
