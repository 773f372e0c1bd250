"""Terms in words, line by line: for the history, and for comparing two versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.kernel.money import format_money, format_volume
from portal.models import TermsVersion
from portal.ui.filters import percent
from portal.ui.packs import pack_name
from portal.ui.sales import FIELDS, milestone


class Compared(NamedTuple):
    """One thing that terms say, in two versions."""

    label: str
    text: str
    other: str

    @property
    def differs(self) -> bool:
        return self.text != self.other


def lines(terms: TermsVersion, *, unit: str) -> list[tuple[str, str]]:
    """All that a version says, in the order of the form."""
    return [
        (_("Paid"), {"milestone": _("in milestones"), "one_off": _("once")}.get(terms.kind, _("each month"))),
        (_("Volume"), volume_of(terms.volume_flat, terms.volume_per_unit, unit=unit)),
        (_("Revenue"), money_of(terms.revenue_flat_cents, terms.revenue_per_unit_cents, unit=unit)),
        (_("Milestones"), milestones_of(terms)),
        (
            _("Volume each month"),
            volume_of(terms.residual_volume_flat, terms.residual_volume_per_unit, unit=unit),
        ),
        (
            _("Revenue each month"),
            money_of(terms.residual_revenue_flat_cents, terms.residual_revenue_per_unit_cents, unit=unit),
        ),
        (_("Revenue is shared"), shares_of(terms)),
        (_("Plans that may sell it"), ", ".join(map(pack_name, terms.packs)) or _("all")),
        (_("Sold in"), ", ".join(terms.states) or _("all states")),
        (_("Licence"), _licence(terms)),
        (
            _("An event must tell"),
            ", ".join(str(FIELDS[name]) for name in terms.required_fields) or _("nothing more"),
        ),
        (_("Cooling-off"), ngettext("%(num)s day", "%(num)s days", terms.cooling_off_days)),
    ]


def compared(first: TermsVersion, second: TermsVersion, *, unit: str) -> list[Compared]:
    """Both versions side by side."""
    pairs = zip(lines(first, unit=unit), lines(second, unit=unit), strict=True)
    return [Compared(label, text, other) for (label, text), (_label, other) in pairs]


def volume_of(flat: int, per_unit: int, *, unit: str) -> str:
    """`100 + 10 a kW`; parts that are 0 are left out."""
    a_unit = _("%(volume)s a %(unit)s", volume=format_volume(per_unit), unit=unit) if per_unit else ""
    return _sum([format_volume(flat) if flat else "", a_unit])


def money_of(flat: int, per_unit: int, *, unit: str) -> str:
    """`$100.00 + $10.00 a kW`; parts that are 0 are left out."""
    a_unit = _("%(money)s a %(unit)s", money=format_money(per_unit), unit=unit) if per_unit else ""
    return _sum([format_money(flat) if flat else "", a_unit])


def milestones_of(terms: TermsVersion) -> str:
    """`installed 60%, activated 40%`."""
    return ", ".join(f"{milestone(name)} {percent(share)}" for name, share in terms.milestones.items())


def shares_of(terms: TermsVersion) -> str:
    """Who gets how much of the revenue."""
    if terms.shares is None:
        return _("by the pay plan")
    named = (("vendor", _("vendor")), ("company", _("company")), ("consultant", _("consultant")))
    parts = [f"{word} {percent(share_of(terms, name))}" for name, word in named]
    upline = upline_of(terms)
    if upline:
        parts.append(_("upline %(levels)s", levels=" + ".join(percent(share) for share in upline)))
    return ", ".join(parts)


def share_of(terms: TermsVersion, name: str) -> int:
    """The share of one party, ten-thousandths; 0 where the terms name none."""
    share = (terms.shares or {}).get(name, 0)
    assert isinstance(share, int)
    return share


def upline_of(terms: TermsVersion) -> Sequence[int]:
    """The shares of the levels above the seller, the nearest first."""
    levels = (terms.shares or {}).get("upline", [])
    assert isinstance(levels, list)
    return levels


def _licence(terms: TermsVersion) -> str:
    if not terms.licence_kind:
        return _("none")
    return _("%(kind)s in %(states)s", kind=terms.licence_kind, states=", ".join(terms.licence_states))


def _sum(parts: Sequence[str]) -> str:
    return " + ".join(part for part in parts if part) or _("nothing")
