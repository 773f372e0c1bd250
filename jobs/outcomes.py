"""What came of a vendor's event, in words for its vendor."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.kernel.money import format_money, format_volume
from portal.models import HeldSale, Sale
from portal.sales.settling import Settled
from portal.ui.sales import against, milestone

MOST_CHARACTERS = 300


def outcome(settled: Settled) -> str:
    """What one event did to the books: at most 300 characters."""
    said = [f"{_deed(sale)} {_amounts(sale)}" for sale in settled.written]
    said += [
        _("held: %(amounts)s; %(reasons)s", amounts=_amounts(held), reasons=against(held.reasons))
        for held in settled.held
    ]
    if not said:
        cancelled = settled.history.state == "cancelled"
        said = [_("noted; the contract is cancelled") if cancelled else _("noted; nothing to pay by it")]
    text = ". ".join(said)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _deed(sale: Sale) -> str:
    return _("sold:") if sale.reverses_id is None else _("taken back:")


def _amounts(row: Sale | HeldSale) -> str:
    return _(
        "%(milestone)s, %(volume)s volume, %(revenue)s",
        milestone=milestone(row.milestone),
        volume=format_volume(abs(row.volume)),
        revenue=format_money(abs(row.revenue_cents)),
    )
