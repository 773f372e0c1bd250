"""What states, kinds and reasons are called on the pages of those who keep the company."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.commissions.checks import Finding
from portal.commissions.differences import Move
from portal.ui.filters import MINUS, count, money, percent

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
    "same": _l("The same as before"),
    "refunds": _l("Refunds took back what was paid before"),
    "cap": _l("Reached the cap of their plan"),
    "matching began": _l("Both legs have volume now, matching began"),
    "not qualified": _l("Not qualified for matching this time"),
    "nothing to match": _l("Nothing new on the weaker leg"),
    "binary up": _l("More volume on the weaker leg"),
    "binary down": _l("Less volume on the weaker leg"),
    "direct up": _l("People they sponsored sold more"),
    "direct down": _l("People they sponsored sold less"),
    "retail up": _l("More own sales"),
    "retail down": _l("Fewer own sales"),
    "unilevel up": _l("More sales in the levels below"),
    "unilevel down": _l("Fewer sales in the levels below"),
    "revenue_share up": _l("More revenue of vendors"),
    "revenue_share down": _l("Less revenue of vendors"),
    "matrix up": _l("More volume in the matrix"),
    "matrix down": _l("Less volume in the matrix"),
    "matching up": _l("Their team's matches grew"),
    "matching down": _l("Their team's matches shrank"),
    "pool up": _l("A larger share of the pool"),
    "pool down": _l("A smaller share of the pool"),
}
STEPS: dict[str, tuple[LazyString | str, LazyString | str]] = {
    "read": (_l("Reading sales"), _l("Reading %(count)s sales")),
    "keep": (_l("Keeping what was read"), ""),
    "calculate": (_l("Matching people"), _l("Matching %(count)s people")),
    "write": (_l("Writing lines"), _l("Writing %(count)s lines")),
    "prove": (_l("Checking"), _l("Checking %(count)s lines")),
    "book": (_l("Crediting wallets"), _l("Crediting wallets with %(count)s amounts")),
    "hold": (_l("Holding pay until it is due"), _l("Holding %(count)s credits until they are due")),
    "gather": (_l("Finding what was booked"), _l("Finding %(count)s bookings")),
    "reverse": (_l("Reversing it"), _l("Reversing %(count)s bookings")),
    "finish": (_l("Finishing"), ""),
}
PURPOSES = {
    "preview": _l("Preview"),
    "close": _l("Close"),
    "import": _l("Taken over from another system"),
    "compare": _l("Computed again from the facts of today"),
}
FAILED = {
    "sum": _l("The lines do not add up to the total"),
    "ties": _l("Not every cent ties to a sale"),
    "twice": _l("Two computations gave different results"),
    "books": _l("The books are not in order"),
    "cap": _l("The payout ratio is above the cap"),
    "rise": _l("The payout ratio rose far above that of the last cycle"),
    "own-use": _l("Consultants' own use is a large part of the volume"),
}
RHYTHMS = {"day": _l("Daily"), "week": _l("Weekly"), "month": _l("Monthly")}


WORK = {"preview": _l("Preview"), "close": _l("Close"), "undo": _l("Undo")}


def took(stages: Mapping[str, object]) -> list[tuple[LazyString | str, list[tuple[LazyString | str, str]]]]:
    """How long each step of each work on a run took; runs from before that was kept apart have one list."""
    works = {name: steps for name, steps in stages.items() if isinstance(steps, dict)}
    together = {step: milliseconds for step, milliseconds in stages.items() if step not in works}
    return [(WORK[name], _steps(steps)) for name, steps in works.items()] + (
        [("", _steps(together))] if together else []
    )


def _steps(took: Mapping[str, object]) -> list[tuple[LazyString | str, str]]:
    return [
        (STEPS[step][0] if step in STEPS else step, _("%(count)s ms", count=count(int(str(milliseconds)))))
        for step, milliseconds in took.items()
    ]


def doing(what: str, name: str) -> str:
    """What a job does about a cycle, as the title of its card."""
    words = {
        "preview": _("%(name)s is being worked out", name=name),
        "close": _("%(name)s is being closed", name=name),
        "undo": _("The close of %(name)s is being undone", name=name),
        "compare": _("%(name)s is being computed again", name=name),
    }
    return words[what]


def reason(move: Move) -> str:
    """What explains most of a person's change."""
    if move.reason == "refunds" and move.refunds:
        return ngettext(
            "%(num)s refund took back what was paid before",
            "%(num)s refunds took back what was paid before",
            move.refunds,
        )
    return str(REASONS.get(move.reason, move.reason))


def headline(finding: Finding) -> str:
    """A check in words: what ought to be so where it is, and what is the case where it is not."""
    return _(finding.check.title) if finding.passed else failed(finding.check.code, finding.seen.number)


def failed(code: str, number: int) -> str:
    """What is the case where a check found something; its figure stands beside it."""
    counted = {
        "refunds": ngettext(
            "%(num)s person's refunds are more than their pay",
            "%(num)s people's refunds are more than their pay",
            number,
        ),
        "tax-forms": ngettext(
            "%(num)s person who is paid has not signed a tax form",
            "%(num)s people who are paid have not signed a tax form",
            number,
        ),
        "unusual": ngettext(
            "%(num)s person earns far more than they usually do",
            "%(num)s people earn far more than they usually do",
            number,
        ),
        "vendors": ngettext("%(num)s vendor reported nothing", "%(num)s vendors reported nothing", number),
        "events": ngettext(
            "%(num)s event of this cycle was not worked in",
            "%(num)s events of this cycle were not worked in",
            number,
        ),
        "statements": ngettext(
            "%(num)s difference to a vendor's statement is open",
            "%(num)s differences to vendors' statements are open",
            number,
        ),
        "statement-days": ngettext(
            "%(num)s day with events has no statement", "%(num)s days with events have no statement", number
        ),
        "wallets": ngettext("%(num)s wallet is below zero", "%(num)s wallets are below zero", number),
        "earlier": ngettext(
            "%(num)s cycle before it is not closed", "%(num)s cycles before it are not closed", number
        ),
    }
    return counted.get(code) or str(FAILED[code])


def figure(finding: Finding) -> str:
    """What a check counted, as it stands beside the check."""
    number, unit = finding.seen.number, finding.check.unit
    if unit == "cents":
        return money(number)
    if unit == "share":
        return percent(number)
    if unit == "points":
        return _("%(points)s points", points=_signed(number))
    if finding.passed and unit != "sales":
        return finding.seen.note
    counted = {
        "sales": ngettext("%(num)s sale", "%(num)s sales", number),
        "people": ngettext("%(num)s person", "%(num)s people", number),
        "vendors": ngettext("%(num)s is silent", "%(num)s are silent", number),
        "wallets": ngettext("%(num)s wallet", "%(num)s wallets", number),
        "cycles": ngettext("%(num)s is open", "%(num)s are open", number),
        "differences": ngettext("%(num)s is open", "%(num)s are open", number),
        "days": ngettext("%(num)s day", "%(num)s days", number),
        "events": ngettext("%(num)s waits", "%(num)s wait", number),
    }
    return counted.get(unit) or finding.seen.note


def _signed(ten_thousandths: int) -> str:
    """Points of a ratio with their sign."""
    sign = "+" if ten_thousandths > 0 else MINUS if ten_thousandths < 0 else ""
    return sign + percent(abs(ten_thousandths))[:-1]
