"""Why an amount of another system differs from ours, as far as the engine can tell.

Reasons are asked one after the other over all differences at once; the first that fits is taken. Amounts are
in cents, volumes in hundredths, rates in ten-thousandths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.comparing.levels import Levels, levels_of
from portal.arrival.comparing.rates import Rates, rates_of
from portal.arrival.comparing.sides import Gaps
from portal.engine import KINDS, MATCHING, Result
from portal.engine.breakage import LOSSES, Losses, losses
from portal.engine.network import ACTIVE

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BINARY: Final = KINDS.index("binary")
FOR_ACTIVE: Final = tuple(KINDS.index(kind) for kind in ("unilevel", "matrix", "binary", "matching", "pool"))
LIMITED: Final = tuple(KINDS.index(kind) for kind in ("binary", "matching", "pool"))
REASONS: Final = (
    *("unknown_consultant", "unknown_kind", "not_in_run", "rounding", "refund", "kind_not_paid", "status"),
    *("inactive", "unqualified", "money_cap", "volume_cap", "limit", "rate", "follows", "carry", "volume"),
    *("only_theirs", "only_ours", "unexplained"),
)
_RULES: Final = tuple(rule for rule in LOSSES if rule in REASONS)


@dataclass(frozen=True)
class Explained:
    """The gaps between both sides, the reason of each as its place in REASONS, and what it rests on."""

    gaps: Gaps
    reason: Ints
    result: Result
    lost: Losses
    rates: Rates
    levels: Levels
    sources: Ints


def explained(result: Result, gaps: Gaps) -> Explained:
    """The first reason that fits, for every gap."""
    none = np.zeros(len(gaps), np.int64)
    levels = levels_of(result, gaps)
    rates = rates_of(result, gaps, levels)
    found = Explained(gaps, none - 1, result, losses(result), rates, levels, none.copy())
    _by_lines(found)
    _by_rules(found)
    _by_standing(found)
    both = (gaps.lines > 0) & (gaps.their_lines > 0)
    _give(found, "rate", both & (found.levels.fits | found.rates.is_other))
    _give(found, "only_ours", gaps.their_lines == 0)
    _follow(found)
    _give(found, "carry", gaps.kind == BINARY)
    _give(found, "volume", both & (found.rates.ours > 0))
    _give(found, "only_theirs", gaps.lines == 0)
    _give(found, "unexplained", np.ones(len(gaps), np.bool_))
    return found


def _give(found: Explained, reason: str, where: Flags) -> None:
    found.reason[where & (found.reason < 0)] = REASONS.index(reason)


def _tolerance(gaps: Gaps) -> Ints:
    """A cent for each line: both sides round once a line."""
    return np.maximum(gaps.lines, gaps.their_lines)


def _by_lines(found: Explained) -> None:
    gaps = found.gaps
    both = (gaps.lines > 0) & (gaps.their_lines > 0)
    _give(found, "refund", (gaps.below < 0) & (gaps.theirs == gaps.ours - gaps.below))
    _give(found, "rounding", both & (np.abs(gaps.theirs - gaps.ours) <= _tolerance(gaps)))
    _give(found, "kind_not_paid", ~_paid_by_plan(found.result)[gaps.kind])


def _by_rules(found: Explained) -> None:
    """What one of our rules took and they paid: first where it is all of the gap, then where it is a part."""
    gaps = found.gaps
    gap = gaps.theirs - gaps.ours
    for is_all in (True, False):
        for rule in _RULES:
            money = found.lost.unpaid(rule)[gaps.member]
            kinds = LIMITED if rule == "limit" else (BINARY,)
            fits = np.abs(gap - money) <= _tolerance(gaps) if is_all else gap > 0
            _give(found, rule, np.isin(gaps.kind, kinds) & (money > 0) & fits)


def _by_standing(found: Explained) -> None:
    """Who is paid nothing here because of what they are."""
    gaps, members, network = found.gaps, found.result.members, found.result.inputs.network
    nothing = gaps.lines == 0
    _give(found, "status", nothing & (network.status[gaps.member] != ACTIVE))
    _give(found, "inactive", nothing & np.isin(gaps.kind, FOR_ACTIVE) & ~members.active[gaps.member])
    _give(found, "unqualified", nothing & (gaps.kind == BINARY) & ~members.qualified[gaps.member])


def _follow(found: Explained) -> None:
    """Shares of what others earned differ where the others' own pay does."""
    gaps, lines = found.gaps, found.result.lines
    is_matching = np.nonzero(lines.kind == MATCHING)[0]
    differs = np.zeros(len(found.result.inputs.network), np.bool_)
    differs[gaps.member[gaps.kind == BINARY]] = True
    behind = is_matching[differs[lines.source[is_matching]]]
    count = np.bincount(lines.member[behind], minlength=len(differs))
    found.sources[:] = count[gaps.member]
    _give(found, "follows", (gaps.kind == MATCHING) & (found.sources > 0))


def _paid_by_plan(result: Result) -> Flags:
    """Which kinds the plan has at all."""
    plan = result.inputs.plan
    return np.array([getattr(plan, kind) is not None for kind in KINDS], np.bool_)
