"""What the rules that take something are called, for the company and for consultants."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

LOSSES = {
    "volume_cap": _l("Above the cap on volume"),
    "money_cap": _l("Above the cap on pay"),
    "unqualified": _l("Not qualified for matching"),
    "inactive": _l("Not active"),
    "after_match": _l("Left over after a match"),
    "carry_limit": _l("Above what a leg may carry on"),
    "carry_cycles": _l("Inactive for too long"),
    "limit": _l("Payout limit of the company"),
    "pool": _l("Rest of the pool"),
}
