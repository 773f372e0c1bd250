"""The panel of the lead desk on a consultant's home: how many leads stand where."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from portal.desk import words
from portal.extensions import db
from portal.leads import queries
from portal.ui.packs import has_feature
from portal.ui.panels import Panel, register_panel

SHOWN = ("new", "contacted", "appointment", "proposal", "signed")


def load_leads(consultant_id: int) -> list[tuple[str, object, int]] | None:
    """The stages with their names and how many leads stand there; None where the plan has no lead desk."""
    if not has_feature("lead_desk"):
        return None
    found = queries.counts(db.session(), consultant_id)
    return [(stage, words.STAGES[stage], found[stage]) for stage in SHOWN]


register_panel(
    Panel("leads", _l("Your leads"), 35, "work leads", "desk/panels/leads.html", load_leads, aside=True)
)
