"""What is looked at before a cycle is approved: red checks that block, amber ones that need a written reason.

Pure reads. Each check states what ought to be so; a written reason answers for one figure and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, TypeAlias

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.commissions import check_figures as figures
from portal.commissions import statement_figures
from portal.commissions.beside import Beside
from portal.commissions.check_figures import Asked, Behind, Limits, Look, Seen
from portal.commissions.queries import totals_of
from portal.models import AccountUser, CheckReason, Cycle, Person, Run

Judge: TypeAlias = Callable[..., Seen | None]
Asks: TypeAlias = Callable[[Look], Asked]


@dataclass(frozen=True)
class Check:
    """One thing that ought to be so; `unit` says what its number counts.

    One that `blocks` is red: nothing is approved or closed while it fails. The others are amber. `judge` is
    given the numbers that it `asks` the database for, and gives None where there is nothing to look at;
    `behind` lists what stands behind the number.
    """

    code: str
    title: str
    unit: str
    judge: Judge
    asks: Asks = figures.nothing
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


def _red(code: str, title: str, unit: str, judge: Judge, asks: Asks = figures.nothing) -> Check:
    return Check(code, title, unit, judge, asks, blocks=True)


def _nobody(code: str, title: str, people: Callable[[Look], Select[int]]) -> Check:
    """A check that ought to find nobody, and names whom it finds."""
    count, names = figures.counted(people), figures.named(people)
    return Check(code, title, "people", figures.nothing_of_it, count, behind=names)


_NOTHING: Final = figures.nothing_of_it
CHECKS: dict[str, Check] = {
    check.code: check
    for check in (
        _red("sum", "The lines add up to the total", "cents", figures.sum_of_lines, figures.lines_of_run),
        _red("ties", "Every cent ties to a sale", "sales", figures.ties, figures.loose_lines_and_sales),
        _red("twice", "Two computations gave the same result", "", figures.computed_twice),
        _red("books", "The books are in order", "", figures.books),
        _red("wallets", "No wallet is below zero", "wallets", _NOTHING, figures.wallets_below_zero),
        _red("earlier", "Every cycle before it is closed", "cycles", _NOTHING, figures.earlier_open),
        _red("cap", "The payout ratio is within the cap", "share", figures.over_cap),
        Check(
            "vendors",
            "Every vendor reported something",
            "vendors",
            _NOTHING,
            figures.silent,
            behind=figures.silent_vendors,
        ),
        Check("rise", "The payout ratio is near that of the last cycle", "points", figures.rise),
        _nobody("refunds", "Nobody's refunds are more than their pay", figures.giving_back),
        _nobody("tax-forms", "Everybody who is paid has signed a tax form", figures.without_tax_form),
        Check(
            "own-use",
            "Consultants' own use is a small part of the volume",
            "share",
            figures.own_use,
            figures.own_volume,
            behind=figures.own_users,
        ),
        _nobody("unusual", "Nobody earns far more than they usually do", figures.far_above_usual),
        Check(
            "statements",
            "Every difference to a vendor's statement is settled",
            "differences",
            _NOTHING,
            statement_figures.unsettled,
            behind=statement_figures.unsettled_vendors,
        ),
        Check(
            "statement-days",
            "A statement came for every day with events",
            "days",
            statement_figures.without_statement,
            behind=statement_figures.days_without_statement,
        ),
        Check(
            "events",
            "Every event of this cycle was worked in",
            "events",
            _NOTHING,
            figures.left_over,
            behind=figures.left_over_events,
        ),
    )
}


def findings(
    session: Session, both: Beside, limits: Limits, *, broken: tuple[str, ...] | None = None
) -> list[Finding]:
    """Every check of the cycle's run, red ones first; none while there is no run.

    `broken` is what a look at the books found a moment ago; without it all the books are read.
    """
    look = look_of(session, both, limits, broken=broken)
    if look is None:
        return []
    reasons = _reasons(session, both.cycle)
    seen = [(check, check.judge(look, *numbers)) for check, numbers in _measured(look)]
    return [
        Finding(check, one, reasons.get((check.code, one.figure))) for check, one in seen if one is not None
    ]


def _measured(look: Look) -> Iterator[tuple[Check, list[int]]]:
    """Each check with the numbers it asked for, all of them read by one statement."""
    asked = [(check, check.asks(look)) for check in CHECKS.values()]
    columns = [one.scalar_subquery() for _check, each in asked for one in each]
    numbers = iter(look.session.execute(select(*columns)).one())
    for check, each in asked:
        yield check, [int(number or 0) for number in islice(numbers, len(each))]


def look_of(
    session: Session, both: Beside, limits: Limits, *, broken: tuple[str, ...] | None = None
) -> Look | None:
    """What checks look at; None while the cycle has no run that was calculated here."""
    run = both.run
    if run is None or run.totals is None or run.purpose == "import":
        return None
    before = totals_of(both.old) if both.old else None
    return Look(session, both.cycle, run, totals_of(run), before, limits, broken)


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
