"""Why an amount of another system differs, in words with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.arrival.comparing.levels import ON_MONEY
from portal.models import ComparedLine
from portal.ui.filters import money, percent, volume

Detail = dict[str, Any]

REASONS: dict[str, LazyString] = {
    "unknown_consultant": _l("Nobody here has this code"),
    "unknown_kind": _l("A kind that is not named here"),
    "not_in_run": _l("Not in the network of this cycle"),
    "rounding": _l("Rounding"),
    "refund": _l("A refund was taken back here only"),
    "kind_not_paid": _l("Our plan does not pay this kind"),
    "status": _l("Not an active consultant here"),
    "inactive": _l("Not active by our plan"),
    "unqualified": _l("Not qualified by our plan"),
    "money_cap": _l("Our cap on money"),
    "volume_cap": _l("Our cap on volume"),
    "limit": _l("Our limit on payouts"),
    "rate": _l("Another rate"),
    "follows": _l("Others' pay differs"),
    "carry": _l("Another carry or leg volume"),
    "volume": _l("Another volume"),
    "only_theirs": _l("Only theirs"),
    "only_ours": _l("Only ours"),
    "unexplained": _l("Not explained"),
}
STEPS: dict[str, tuple[LazyString, LazyString | str]] = {
    "read": (_l("Reading their lines"), ""),
    "calculate": (_l("Computing ours again"), ""),
    "compare": (_l("Putting both side by side"), _l("Putting %(count)s lines beside ours")),
    "write": (_l("Writing differences"), _l("Writing %(count)s differences")),
}
_PLAIN: dict[str, LazyString] = {
    "unknown_consultant": _l("It was not brought along, or it is written otherwise."),
    "unknown_kind": _l("Say under “Their kinds” what it is called here, and compare again."),
    "not_in_run": _l("They joined after the cycle had ended."),
    "kind_not_paid": _l("The plan of this cycle has no rule for it."),
    "only_theirs": _l("We have no line of this kind for them."),
    "only_ours": _l("They have no line of this kind for them."),
}
_STATUSES = {"suspended": _l("suspended"), "terminated": _l("terminated")}


def why(line: ComparedLine) -> str:
    """A sentence about a difference."""
    said = _SENTENCES.get(line.reason)
    return str(_PLAIN[line.reason]) if said is None else said(line.detail, line.kind)


def _rounding(detail: Detail, _kind: str) -> str:
    lines = max(detail["lines"], detail["their_lines"])
    return ngettext("At most a cent on %(num)s line.", "At most a cent on each of %(num)s lines.", lines)


def _refund(detail: Detail, _kind: str) -> str:
    return _("We took %(amount)s back for refunds; they did not.", amount=money(detail["taken_back"]))


def _status(detail: Detail, _kind: str) -> str:
    return _("Here this consultant is %(status)s.", status=_STATUSES.get(detail["status"], detail["status"]))


def _inactive(detail: Detail, _kind: str) -> str:
    return _(
        "Personal volume is %(has)s of %(needed)s in %(cycles)s cycles.%(rest)s",
        has=volume(detail["volume"]),
        needed=volume(detail["needed"]),
        cycles=detail["cycles"],
        rest=_would_be(detail),
    )


def _unqualified(detail: Detail, _kind: str) -> str:
    return _(
        "Our plan asks for %(count)s active people sponsored in each leg.%(rest)s",
        count=detail["each_leg"],
        rest=_would_be(detail),
    )


def _would_be(detail: Detail) -> str:
    if not detail["would_be"]:
        return ""
    return " " + _("Qualified, it would be %(amount)s.", amount=money(detail["would_be"]))


def _lost(detail: Detail, _kind: str) -> str:
    said = _("It took %(amount)s.", amount=money(detail["lost"]))
    if detail["rest"] in (0, 1, -1):
        return said
    return said + " " + _("%(amount)s of the difference is more than that.", amount=money(detail["rest"]))


def _rate(detail: Detail, _kind: str) -> str:
    if "levels" in detail:
        return " ".join(_level(*row) for row in detail["levels"])
    return _(
        "On %(base)s we pay %(ours)s; theirs comes to %(theirs)s.",
        base=money(detail["base"]),
        ours=percent(detail["rate"]),
        theirs=percent(detail["their_rate"]),
    )


def _level(level: int, base: int, ours: int, theirs: int) -> str:
    return _(
        "On level %(level)s we pay %(ours)s of %(base)s; theirs comes to %(theirs)s.",
        level=level,
        base=money(base),
        ours=percent(ours),
        theirs=percent(theirs),
    )


def _unexplained(detail: Detail, _kind: str) -> str:
    """Ours level by level, for the kinds that are paid so."""
    said = _("Neither a rate nor a rule of ours makes this amount.")
    parts = [
        _("%(rate)s of %(base)s on level %(level)s", rate=percent(ours), base=money(base), level=level)
        for level, base, ours, _theirs in detail.get("levels", ())
    ]
    return said + " " + _("Ours is %(parts)s.", parts=", ".join(parts)) if parts else said


def _follows(detail: Detail, _kind: str) -> str:
    return ngettext(
        "It is a share of what others earned; %(num)s of them differs too.",
        "It is a share of what others earned; %(num)s of them differ too.",
        detail["people"],
    )


def _carry(detail: Detail, kind: str) -> str:
    legs = _(
        "Here: left %(left)s, right %(right)s.", left=volume(detail["left"]), right=volume(detail["right"])
    )
    return legs + _implied(detail, kind)


def _volume(detail: Detail, kind: str) -> str:
    return _implied(detail, kind).strip()


def _implied(detail: Detail, kind: str) -> str:
    if "their_base" not in detail:
        return ""
    said = money if kind in ON_MONEY else volume
    return " " + _(
        "At %(rate)s theirs needs %(theirs)s where we count %(ours)s.",
        rate=percent(detail["rate"]),
        theirs=said(detail["their_base"]),
        ours=said(detail["base"]),
    )


_SENTENCES: dict[str, Callable[[Detail, str], str]] = {
    "rounding": _rounding,
    "refund": _refund,
    "status": _status,
    "inactive": _inactive,
    "unqualified": _unqualified,
    "money_cap": _lost,
    "volume_cap": _lost,
    "limit": _lost,
    "rate": _rate,
    "follows": _follows,
    "carry": _carry,
    "volume": _volume,
    "unexplained": _unexplained,
}
