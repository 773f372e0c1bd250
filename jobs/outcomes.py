"""What came of a vendor's event, in words for its vendor."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.kernel.money import format_money, format_volume
from portal.models import HeldSale, Sale
from portal.sales.settling import Settled
from portal.ui.sales import against, milestone

MOST_CHARACTERS = 300


def outcome(settled: Settled, *, of: str = "") -> str:
    """What one event did to the books, `of` a milestone where it speaks of one: at most 300 characters."""
    said = [f"{_deed(sale)} {_amounts(sale)}" for sale in settled.written]
    said += [
        _("held: %(amounts)s; %(reasons)s", amounts=_amounts(held), reasons=against(held.reasons))
        for held in settled.held
    ]
    said = said or [_noted(settled, of)]
    text = ". ".join([settled.otherwise, *said] if settled.otherwise else said)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _noted(settled: Settled, of: str) -> str:
    if settled.history.state == "cancelled":
        return _("noted; the contract is cancelled")
    if of in settled.waiting:
        return _(
            "noted; %(milestone)s waits, since the service is suspended: it is paid once an activation or a"
            " second renewed month shows that it lives again",
            milestone=milestone(of),
        )
    if settled.still:
        names = ", ".join(milestone(held.milestone) for held in settled.still)
        return ngettext(
            "nothing new; %(names)s is still held",
            "nothing new; %(names)s are still held",
            len(settled.still),
            names=names,
        )
    return _("noted; nothing to pay by it")


def _deed(sale: Sale) -> str:
    return _("sold:") if sale.reverses_id is None else _("taken back:")


def _amounts(row: Sale | HeldSale) -> str:
    return _(
        "%(milestone)s, %(volume)s volume, %(revenue)s",
        milestone=milestone(row.milestone),
        volume=format_volume(abs(row.volume)),
        revenue=format_money(abs(row.revenue_cents)),
    )
