"""What the kinds of pay are called, everywhere alike."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

KINDS: dict[str, LazyString] = {
    "retail": _l("Your own sales"),
    "direct": _l("Sales of people you sponsor"),
    "unilevel": _l("Sales of the people they sponsor"),
    "revenue_share": _l("Share of vendors' revenue"),
    "matrix": _l("Matrix"),
    "binary": _l("Weaker-leg match"),
    "matching": _l("Match of your team's pay"),
    "pool": _l("Company pool"),
}
