"""What states, kinds and reasons are called on the pages of those who keep the company."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

CYCLE_STATES = {
    "open": _l("Open"),
    "ended": _l("Ended"),
    "previewed": _l("In review"),
    "approved": _l("Approved"),
    "closed": _l("Closed"),
    "paid": _l("Paid"),
}
CYCLE_TONES = {"ended": "sun", "previewed": "sun", "approved": "sun", "closed": "ok", "paid": "ok"}
STEP_OF = {"open": 0, "ended": 0, "previewed": 1, "approved": 2, "closed": 3, "paid": 4}
KINDS = {
    "retail": _l("Own sales"),
    "direct": _l("Sales of people sponsored"),
    "unilevel": _l("Sales of the people they sponsored"),
    "revenue_share": _l("Share of vendors' revenue"),
    "matrix": _l("Matrix"),
    "binary": _l("Weaker-leg match"),
    "matching": _l("Match of the team's pay"),
    "pool": _l("Company pool"),
    "corrections": _l("Corrections"),
}
REASONS = {
    "refunds": _l("Refunds took back what was paid before"),
    "cap": _l("Reached the weekly cap"),
    "matching began": _l("Both legs have volume now, matching began"),
    "not qualified": _l("Not qualified for matching this week"),
    "nothing to match": _l("Nothing new on the weaker leg"),
    "binary up": _l("More volume on the weaker leg"),
    "binary down": _l("Less volume on the weaker leg"),
    "direct up": _l("People they sponsored sold more"),
    "direct down": _l("People they sponsored sold less"),
    "retail up": _l("More own sales"),
    "retail down": _l("Fewer own sales"),
}
