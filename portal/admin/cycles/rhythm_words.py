"""What a length of cycles changes, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.commissions.weeks import Week
from portal.engine import Plan
from portal.extensions import db
from portal.models import Cycle, Pack
from portal.ui.filters import current, cycle_title, day, money

LENGTHS = {"day": _l("Days"), "week": _l("Weeks"), "month": _l("Months")}
EACH = {"day": _l("each day"), "week": _l("each week"), "month": _l("each month")}
STATES = {
    "coming": (_l("Comes"), "sun"),
    "holds": (_l("Holds"), "ok"),
    "over": (_l("Over"), ""),
    "replaced": (_l("Replaced before its day"), ""),
}
LAST_MINUTE = timedelta(minutes=1)


def begins(cycle: Week) -> str:
    """A cycle as a choice: `Dec 7, 2026; the first one ends on Dec 31, 2026`."""
    first, last = day(cycle.starts_at), day(cycle.until - LAST_MINUTE)
    return first if cycle.rhythm == "day" else _("%(first)s; it ends on %(last)s", first=first, last=last)


def changes(now: Cycle, first: Week, document: Mapping[str, object]) -> list[str]:
    """What is another thing from the first cycle of a new length on, a sentence each."""
    if now.rhythm == first.rhythm:
        return [_("Cycles stay as they are. What was decided to come is taken back.")]
    return [
        _(
            "A cycle is called %(new)s, no longer %(old)s.",
            new=cycle_title(first.name),
            old=cycle_title(now.name),
        ),
        _(
            "Home pages, legs and projections speak of %(new)s instead of %(old)s.",
            new=current(first.rhythm),
            old=current(now.rhythm),
        ),
        _(
            "Previews, two approvals, the close and its payout come once for %(each)s.",
            each=EACH[first.rhythm],
        ),
        *_of_the_plan(Plan.parse(dict(document)), first.rhythm),
        _("Every other figure of the plan is for one cycle too. None is divided or multiplied."),
    ]


def _of_the_plan(plan: Plan, rhythm: str) -> Iterator[str]:
    names = {pack.code: pack.name for pack in db.session.query(Pack)}
    each = EACH[rhythm]
    for code, cents in plan.binary.cap_money.items() if plan.binary else ():
        cap, pack = money(cents, plan.currency), names.get(code, code)
        yield _("A cap of %(cap)s then holds for %(each)s (%(pack)s).", cap=cap, each=each, pack=pack)
    yield {
        "day": ngettext(
            "Sales count for being active for %(num)s day.",
            "Sales count for being active for %(num)s days.",
            plan.activity.window_cycles,
        ),
        "week": ngettext(
            "Sales count for being active for %(num)s week.",
            "Sales count for being active for %(num)s weeks.",
            plan.activity.window_cycles,
        ),
        "month": ngettext(
            "Sales count for being active for %(num)s month.",
            "Sales count for being active for %(num)s months.",
            plan.activity.window_cycles,
        ),
    }[rhythm]
