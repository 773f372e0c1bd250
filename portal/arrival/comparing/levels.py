"""Which rates by level their amounts come to, for the kinds that are paid level by level up a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.comparing.sides import WIDTH, Gaps
from portal.engine import KINDS, Result
from portal.engine.arithmetic import share
from portal.engine.parts import Levels as Parts
from portal.engine.plan import Plan

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

UNIT: Final = 10_000
ROUND_STEP: Final = 50
SURE_OF: Final = 3
BY_LEVEL: Final = tuple(KINDS.index(kind) for kind in ("unilevel", "revenue_share", "matrix", "matching"))
ON_MONEY: Final = ("retail", "revenue_share", "matching")
_HUNDREDTHS: Final = 100


@dataclass(frozen=True)
class Levels:
    """By gap and level our base in cents, 0 for other kinds; by kind and level both rates.

    Levels count from 0 here, rates are in ten-thousandths. `fits`: their rates make their amount.
    """

    base: Ints
    ours: Ints
    theirs: Ints
    fits: Flags

    def only(self) -> tuple[Flags, Ints]:
        """Where there is a base on one level alone, and which that is."""
        there = self.base != 0
        return there.sum(axis=1) == 1, there.argmax(axis=1)


def levels_of(result: Result, gaps: Gaps) -> Levels:
    """Solve for their rates, level after level.

    Whose deepest base lies on a level tells its rate, once those of the levels above are known. A rate counts
    where at least three people have it, and a quarter of all whose deepest base lies there.
    """
    plan = result.inputs.plan
    ours = _rates(plan)
    base, agreeing = _bases(result, gaps, depth=ours.shape[1])
    theirs, fits = ours.copy(), np.zeros(len(gaps), np.bool_)
    tolerance = np.maximum(gaps.lines, gaps.their_lines)
    for kind in BY_LEVEL:
        rows = np.nonzero((gaps.kind == kind) & (gaps.their_lines > 0) & (gaps.lines > 0))[0]
        if not len(rows) or not ours[kind].any():
            continue
        found = _Solving(base[rows], gaps.theirs[rows], tolerance[rows], agreeing[kind])
        theirs[kind] = found.rates(ours[kind])
        differs = ((theirs[kind] != ours[kind]) & (base[rows] != 0)).any(axis=1)
        fits[rows] = differs & (
            np.abs(_made(base[rows], theirs[kind]) - gaps.theirs[rows]) <= tolerance[rows]
        )
    return Levels(base, ours, theirs, fits)


def _rates(plan: Plan) -> Ints:
    """Our rates by kind and level; none for shares that depend on the service."""
    lists = {KINDS.index(kind): part.rates for kind in KINDS if (part := _part(plan, kind))}
    rates = np.zeros((WIDTH, max((len(found) for found in lists.values()), default=0) or 1), np.int64)
    for kind, found in lists.items():
        rates[kind, : len(found)] = found
    return rates


def _part(plan: Plan, kind: str) -> Parts | None:
    by_service = any(service.revenue_share is not None for service in plan.service_rates)
    if KINDS.index(kind) not in BY_LEVEL or (kind == "revenue_share" and by_service):
        return None
    part: Parts | None = getattr(plan, kind)
    return part


def _bases(result: Result, gaps: Gaps, *, depth: int) -> tuple[Ints, Ints]:
    """The base of each gap by level; by kind and level for how many, that deep, both sides agree."""
    lines, plan = result.lines, result.inputs.plan
    rows = np.nonzero(np.isin(lines.kind, BY_LEVEL) & (lines.level <= depth))[0]
    place = lines.member[rows].astype(np.int64) * WIDTH + lines.kind[rows]
    level = lines.level[rows].astype(np.int64) - 1
    deepest = np.full(len(result.inputs.network) * WIDTH, -1, np.int64)
    np.maximum.at(deepest, place, level)
    gap_of = np.full(len(deepest), -1, np.int64)
    gap_of[gaps.member * WIDTH + gaps.kind] = np.arange(len(gaps))
    agreeing = np.zeros((WIDTH, depth), np.int64)
    same = np.nonzero((gap_of < 0) & (deepest >= 0))[0]
    np.add.at(agreeing, (same % WIDTH, deepest[same]), 1)
    differs = gap_of[place] >= 0
    base = np.zeros((len(gaps), depth), np.int64)
    np.add.at(base, (gap_of[place[differs]], level[differs]), lines.base[rows[differs]].astype(np.int64))
    by_volume = ~np.isin(gaps.kind, [KINDS.index(kind) for kind in ON_MONEY])
    base[by_volume] = share(base[by_volume], np.int64(plan.point_value), np.int64(_HUNDREDTHS))
    return base, agreeing


@dataclass(frozen=True)
class _Solving:
    """The gaps of one kind: bases by level, their cents, what rounding may do, how many agree by level."""

    base: Ints
    cents: Ints
    tolerance: Ints
    agreeing: Ints

    def rates(self, ours: Ints) -> Ints:
        """Their rate of each level; ours where nothing tells another."""
        found, there = ours.copy(), self.base != 0
        deepest = np.where(there.any(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1), -1)
        for level in range(len(ours)):
            # Where half a percent is a few cents, any amount would fit.
            tells = self.base[:, level] * ROUND_STEP > 4 * UNIT * self.tolerance
            rows = np.nonzero((deepest == level) & tells)[0]
            if len(rows):
                found[level] = self._rate_of(rows, level, found)
        return found

    def _rate_of(self, rows: Ints, level: int, found: Ints) -> int:
        base = self.base[rows, level]
        rest = self.cents[rows] - _made(self.base[rows, :level], found[:level])
        nearest = np.maximum(share(2 * UNIT * rest + base, np.int64(1), 2 * base), 0)
        rounded = (nearest + ROUND_STEP // 2) // ROUND_STEP * ROUND_STEP
        is_round = np.abs(share(base, rounded, np.int64(UNIT)) - rest) <= self.tolerance[rows]
        rates, counts = np.unique(np.where(is_round, rounded, nearest), return_counts=True)
        most = int(counts.argmax())
        is_sure = counts[most] >= SURE_OF and 4 * counts[most] >= len(rows) + self.agreeing[level]
        return int(rates[most]) if is_sure else int(found[level])


def _made(base: Ints, rates: Ints) -> Ints:
    """What rates make of bases, all levels together."""
    made: Ints = share(base, rates, np.int64(UNIT)).sum(axis=1)
    return made
