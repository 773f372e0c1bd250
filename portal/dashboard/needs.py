"""What you need: a panel of the home page, /rank with what each step asks for, and how it was before."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions import needs as service
from portal.commissions.needs import Needs
from portal.dashboard.panels import standing_now
from portal.dashboard.queries import Income
from portal.dashboard.routes import dashboard, everybodys_income
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.members.queries import consultant_of
from portal.models import Consultant
from portal.ui import show
from portal.ui.panels import Panel, register_panel

Step = tuple[LazyString, int, int, bool]


@dataclass(frozen=True)
class NeedsView:
    """The panel: the distances, and what everybody earned."""

    needs: Needs
    income: Income | None


def load_needs(consultant_id: int) -> NeedsView | None:
    """What a consultant needs; None while nothing was projected yet."""
    session = db.session()
    found = service.needs_of(session, session.get_one(Consultant, consultant_id), standing_now(consultant_id))
    return NeedsView(found, everybodys_income()) if found else None


@dashboard.get("/rank")
@requires(permissions.see_own_business)
def rank() -> Response:
    """The rank that is held as it stands, what is missing for more, and how far the next one is."""
    session, who = db.session(), _consultant()
    needs = service.needs_of(session, who, standing_now(who.id))
    past = service.past_cycles(session, who.id, limit=1)
    return show(
        "dashboard/rank.html",
        "rank",
        needs=needs,
        steps=_steps(needs) if needs else [],
        paid_as=past[0].rank if past else None,
        best=service.best_rank(session, who.id),
        income=everybodys_income(),
    )


@dashboard.get("/rank/history")
@requires(permissions.see_own_business)
def rank_history() -> Response:
    """Rank, legs and carry of each closed cycle."""
    past = service.past_cycles(db.session(), _consultant().id)
    return show("dashboard/rank_history.html", "main", past=past)


def _steps(needs: Needs) -> list[Step]:
    """What the next rank asks for, and how much of it is there: people as counts, volume in hundredths."""
    if needs.next_rank is None:
        return []
    asked, now = needs.plan.ranks[needs.now.rank + 1], needs.now
    steps: list[tuple[LazyString, int, int | None, bool]] = [
        (_l("Volume from your own customers"), now.window_pv, asked.personal_volume, True),
        (_l("New volume on your left"), now.new_left, asked.weak_leg_volume, True),
        (_l("New volume on your right"), now.new_right, asked.weak_leg_volume, True),
        (_l("Active people whom you sponsored"), now.sponsored_active, asked.sponsored_active, False),
    ]
    return [(label, has, wanted, volume) for label, has, wanted, volume in steps if wanted]


def _consultant() -> Consultant:
    found = consultant_of(db.session(), current_user.person_id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


register_panel(
    Panel("needs", _l("What you need"), 25, "see own business", "dashboard/panels/needs.html", load_needs)
)
