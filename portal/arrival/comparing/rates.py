"""Which rate their amounts come to on our base, and whether that can be a rate at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.comparing.levels import ON_MONEY, ROUND_STEP, SURE_OF, UNIT, Levels
from portal.arrival.comparing.sides import Gaps
from portal.engine import KINDS, Result
from portal.engine.arithmetic import share
from portal.engine.binary_plan import Percent
from portal.engine.plan import Plan, by_pack

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_HUNDREDTHS: Final = 100


@dataclass(frozen=True)
class Rates:
    """Per gap: our base in cents, both rates in ten-thousandths (0: none), and if that is the reason."""

    base: Ints
    ours: Ints
    theirs: Ints
    is_other: Flags


def rates_of(result: Result, gaps: Gaps, levels: Levels) -> Rates:
    """Their rate on our base. It counts as one where it makes their amount to the cent of each line, and is
    a multiple of half a percent or the same for at least three people of a pack."""
    plan, network = result.inputs.plan, result.inputs.network
    kind, cents, lines = gaps.kind, gaps.theirs, gaps.lines
    pack = network.pack[gaps.member].astype(np.int64)
    on_money = np.isin(kind, [KINDS.index(name) for name in ON_MONEY])
    worth = np.where(on_money, gaps.base, _money(gaps.base, plan.point_value))
    table = np.stack([by_pack(_table(plan, name), network.packs) for name in KINDS])
    ours = table[kind, pack] if len(network.packs) else np.zeros(len(kind), np.int64)
    on_one, level = levels.only()
    ours = np.where(on_one, levels.ours[kind, level], ours)
    # Services may pay a seller by tables of their own: a rate that does not make our amount is not named.
    made = share(worth, ours, np.int64(UNIT))
    is_another = (kind == KINDS.index("retail")) & (np.abs(made - gaps.ours) > gaps.lines)
    ours = np.where(is_another, 0, ours)
    known = (ours > 0) & (worth > 0) & (cents > 0)
    safe = np.where(known, worth, 1)
    nearest = np.where(known, share(2 * UNIT * cents + safe, np.int64(1), 2 * safe), 0)
    rounded = (nearest + ROUND_STEP // 2) // ROUND_STEP * ROUND_STEP

    def makes(rate: Ints) -> Flags:
        made = share(safe, rate, np.int64(UNIT))
        return known & (rate != ours) & (np.abs(made - cents) <= np.maximum(lines, gaps.their_lines))

    # Where half a percent is a few cents, any amount would fit.
    tells = share(safe, np.int64(ROUND_STEP), np.int64(UNIT)) > 4 * lines
    is_round = makes(rounded) & tells
    is_common = ~is_round & _common(kind, pack, nearest, makes(nearest))
    return Rates(worth, ours, np.where(is_round, rounded, nearest), is_round | is_common)


def _common(kind: Ints, pack: Ints, rate: Ints, where: Flags) -> Flags:
    """Where the same rate comes up again and again: three times, and for a quarter of a kind and pack."""
    common = np.zeros(len(kind), np.bool_)
    rows = np.nonzero(where)[0]
    if not len(rows):
        return common
    group = (kind * (int(pack.max()) + 1) + pack)[rows]
    _, back, count = np.unique(group * (10 * UNIT) + rate[rows], return_inverse=True, return_counts=True)
    _, of_group, size = np.unique(group, return_inverse=True, return_counts=True)
    often = count[back]
    common[rows] = (often >= SURE_OF) & (4 * often >= size[of_group])
    return common


def _table(plan: Plan, kind: str) -> dict[str, int] | None:
    """What the plan pays of the base by pack, for the kinds that have one rate."""
    if kind == "binary":
        mode = plan.binary.mode if plan.binary else None
        return dict(mode.rate) if isinstance(mode, Percent) else None
    found = getattr(plan, kind) if kind in ("retail", "direct") else None
    return None if found is None else dict(found)


def _money(volume: Ints, point_value: int) -> Ints:
    return share(volume, np.int64(point_value), np.int64(_HUNDREDTHS))
