"""What is looked at before a cycle is approved: red checks that block, amber ones that need a written reason.

Pure reads. Each check states what ought to be so; a written reason answers for one figure and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions import check_figures as figures
from portal.commissions.check_figures import Behind, Limits, Look, Seen, named
from portal.commissions.queries import run_of, totals_of
from portal.models import AccountUser, CheckReason, Cycle, Person, Run


@dataclass(frozen=True)
class Check:
    """One thing that ought to be so; `unit` says what its number counts.

    One that `blocks` is red: nothing is approved or closed while it fails. The others are amber. `look` gives
    None where there is nothing to look at; `behind` lists what stands behind the number.
    """

    code: str
    title: str
    unit: str
    look: Callable[[Look], Seen | None]
    blocks: bool = False
    behind: Callable[[Look], list[Behind]] | None = None


@dataclass(frozen=True)
class Reason:
    """Why a figure was let pass: in whose words, when, and for which run they were written first."""

    text: str
    name: str
    at: datetime
    run_id: int


@dataclass(frozen=True)
class Finding:
    """What a check found in a run, and the reason that was given for it."""

    check: Check
    seen: Seen
    reason: Reason | None

    @property
    def passed(self) -> bool:
        return self.seen.passed

    @property
    def blocks(self) -> bool:
        return self.check.blocks and not self.passed

    @property
    def asks(self) -> bool:
        """Whether it waits for a written reason."""
        return not (self.check.blocks or self.passed or self.reason)

    @property
    def figure(self) -> str:
        return self.seen.figure


CHECKS: dict[str, Check] = {
    check.code: check
    for check in (
        Check("sum", "The lines add up to the total", "cents", figures.sum_of_lines, blocks=True),
        Check("ties", "Every cent ties to a sale", "sales", figures.ties, blocks=True),
        Check("twice", "Two computations gave the same result", "", figures.computed_twice, blocks=True),
        Check("books", "The books are in order", "", figures.books, blocks=True),
        Check("wallets", "No wallet is below zero", "wallets", figures.wallets_below_zero, blocks=True),
        Check("earlier", "Every cycle before it is closed", "cycles", figures.earlier_open, blocks=True),
        Check("cap", "The payout ratio is within the cap", "share", figures.over_cap, blocks=True),
        Check(
            "vendors",
            "Every vendor reported something",
            "vendors",
            figures.silent,
            False,
            figures.silent_vendors,
        ),
        Check("rise", "The payout ratio is near that of the last cycle", "points", figures.rise),
        Check("refunds", "Nobody's refunds are more than their pay", "people", *named(figures.giving_back)),
        Check(
            "tax-forms",
            "Everybody who is paid has signed a tax form",
            "people",
            *named(figures.without_tax_form),
        ),
        Check(
            "own-use",
            "Consultants' own use is a small part of the volume",
            "share",
            figures.own_use,
            False,
            figures.own_users,
        ),
        Check(
            "unusual", "Nobody earns far more than they usually do", "people", *named(figures.far_above_usual)
        ),
        Check(
            "events",
            "Every event of this cycle was worked in",
            "events",
            figures.left_over,
            False,
            figures.left_over_events,
        ),
    )
}


def findings(
    session: Session, cycle: Cycle, limits: Limits, *, broken: tuple[str, ...] | None = None
) -> list[Finding]:
    """Every check of the cycle's run, red ones first; none while there is no run.

    `broken` is what a look at the books found a moment ago; without it all the books are read.
    """
    look = look_of(session, cycle, limits, broken=broken)
    if look is None:
        return []
    reasons = _reasons(session, cycle)
    seen = [(check, check.look(look)) for check in CHECKS.values()]
    return [
        Finding(check, one, reasons.get((check.code, one.figure))) for check, one in seen if one is not None
    ]


def look_of(
    session: Session, cycle: Cycle, limits: Limits, *, broken: tuple[str, ...] | None = None
) -> Look | None:
    """What checks look at; None while the cycle has no run that was calculated here."""
    run = run_of(session, cycle)
    if run is None or run.totals is None or run.purpose == "import":
        return None
    previous = session.get(Cycle, cycle.previous_id) if cycle.previous_id else None
    old = run_of(session, previous) if previous else None
    before = totals_of(old) if old is not None and old.totals is not None else None
    return Look(session, cycle, run, totals_of(run), before, limits, broken)


def _reasons(session: Session, cycle: Cycle) -> dict[tuple[str, str], Reason]:
    """The reasons written for any run of a cycle, by check and figure; the newest holds."""
    rows = session.execute(
        select(CheckReason, Person.name)
        .join(Run, Run.id == CheckReason.run_id)
        .join(AccountUser, AccountUser.id == CheckReason.written_by)
        .join(Person, Person.id == AccountUser.person_id)
        .where(Run.cycle_id == cycle.id)
        .order_by(CheckReason.id)
    )
    return {
        (row.check, row.figure): Reason(row.reason, name, row.written_at, row.run_id) for row, name in rows
    }
