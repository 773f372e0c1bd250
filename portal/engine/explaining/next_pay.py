"""The next cent: the least volume by which a match pays more, by the engine's own rounding and caps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, smallest_yielding
from portal.engine.binary_plan import Binary, Percent
from portal.engine.cycle import Result
from portal.engine.explaining.distances import Figures, figures_of, wanted_for_step
from portal.engine.legs import Legs
from portal.engine.modes import Pay, Ready, match
from portal.engine.plan import Plan
from portal.engine.ranks import PaidAs

STATES: Final = ("missing", "not_qualified", "capped", "nothing_more")


@dataclass(frozen=True)
class NextPay:
    """By how much more volume on which leg a match pays `cents` more; volumes in hundredths.

    `state` is `missing`, or says why no volume pays more as things stand: `not_qualified`, `capped`, or
    `nothing_more` where the plan has no further step; then the volumes and the cents are 0. `waits_left` and
    `waits_right` are in the legs and not matched yet.
    """

    state: str
    left: int
    right: int
    cents: int
    waits_left: int
    waits_right: int


def next_pay(result: Result, member: int) -> NextPay | None:
    """What the next cent of one member's match needs; None where the plan has no match."""
    network = result.inputs.network
    return next_pay_by(result.inputs.plan, network.packs[network.pack[member]], figures_of(result, member))


def next_pay_by(plan: Plan, pack: str, now: Figures) -> NextPay | None:
    """The same from the figures alone."""
    binary = plan.binary
    if binary is None:
        return None
    if not _may_match(plan, binary, now):
        return NextPay("not_qualified", 0, 0, 0, max(now.left, 0), max(now.right, 0))
    before = _pay(plan, pack, now, left=now.left, right=now.right)
    waits = [
        max(0, int(leg - taken[0])) for leg, taken in zip((now.left, now.right), before.taken, strict=True)
    ]
    left, right = (max(0, amount) for amount in _wanted(plan, pack, now, earned=int(before.earned[0])))
    after = _pay(plan, pack, now, left=now.left + left, right=now.right + right)
    cents = int(after.paid[0] - before.paid[0])
    if cents > 0:
        return NextPay("missing", left, right, cents, waits[0], waits[1])
    state = "capped" if after.earned[0] > before.earned[0] else "nothing_more"
    return NextPay(state, 0, 0, 0, waits[0], waits[1])


def _may_match(plan: Plan, binary: Binary, now: Figures) -> bool:
    is_active = now.window_pv >= plan.activity.personal_volume or not binary.must_be_active
    sponsored = min(now.sponsored_left, now.sponsored_right) >= binary.each_leg
    return bool(now.may_be_active) and is_active and sponsored


def _pay(plan: Plan, pack: str, now: Figures, *, left: int, right: int) -> Pay:
    """What the engine makes of two legs."""
    assert plan.binary is not None
    legs = Legs(np.array([left]), np.array([right]))
    rank_cap = PaidAs(np.array([now.rank], np.int32), plan.ranks).cap
    ready = Ready(legs, np.ones(1, np.bool_), np.zeros(1, np.int32), (pack,), rank_cap)
    return match(plan, plan.binary, ready)


def _wanted(plan: Plan, pack: str, now: Figures, *, earned: int) -> tuple[int, int]:
    """How much of each leg is missing for a cent more; by pairs and tiers for the next step."""
    binary = plan.binary
    assert binary is not None
    if not isinstance(binary.mode, Percent):
        return wanted_for_step(binary, pack, now.left, now.right)
    value = binary.mode.rate.get(pack, 0) * plan.point_value
    if value == 0:
        return 0, 0
    # Half a cent before the next one is where rounding half away from zero gives it.
    least = smallest_yielding(np.array([2 * earned + 1]), MONEY_UNIT, np.array([2 * value]))
    both = max(int(least[0]), binary.mode.min_match, 1)
    return both - now.left, both - now.right
