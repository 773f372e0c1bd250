"""When a plan that was agreed to begins, in words, where that is not the day for which it was agreed to."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.commissions.plans.starts import Coming, coming_versions
from portal.commissions.rhythms import Wish
from portal.models import PlanVersion
from portal.ui.filters import cycle_called, day


def of_all(session: Session, zone: ZoneInfo, *, wish: Wish | None = None) -> dict[int, str]:
    """A sentence for each version that begins later than it was agreed to, or never; by its number."""
    coming = coming_versions(session, zone, wish=wish)
    return {one.version.id: in_words(one) for one in coming if one.is_moved or one.instead}


def in_words(coming: Coming) -> str:
    """What becomes of one version."""
    start = day(coming.cycle.starts_at)
    agreed = _(
        "%(version)s was agreed to for %(day)s.",
        version=name(coming.version),
        day=day(coming.version.valid_from),
    )
    if coming.instead:
        what = _(
            "It will never hold: %(other)s begins with the same cycle, on %(start)s.",
            other=name(coming.instead),
            start=start,
        )
    else:
        what = _(
            "No cycle begins then; it begins with %(cycle)s, on %(start)s.",
            cycle=cycle_called(coming.cycle.name),
            start=start,
        )
    return f"{agreed} {what}"


def name(version: PlanVersion) -> str:
    """A version by its number and its plan's name."""
    return _("Version %(number)s, %(name)s", number=version.id, name=version.name)
