"""What is missing: for being active, qualified, paid once more, of the next rank; and what expires when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.engine.activity import Personal
from portal.engine.arithmetic import MAX, Ints, added
from portal.engine.binary_plan import Binary, Pairs, Percent, Tiers
from portal.engine.cycle import Result
from portal.engine.explaining.match import cap_money, legs_before
from portal.engine.legs import Legs, in_each_leg, sponsored_in_legs
from portal.engine.modes import PairedLegs
from portal.engine.network import ACTIVE
from portal.engine.parts import Rank
from portal.engine.ranks import standing_of


@dataclass(frozen=True)
class Missing:
    """So much of something is missing for a goal; `leg` is left, right, or empty where it does not matter."""

    goal: str
    what: str
    amount: int
    leg: str = ""
    is_volume: bool = True


@dataclass(frozen=True)
class Expiry:
    """Volume of a leg that goes, and when: after so many more cycles of inactivity, or at once."""

    leg: str
    volume: int
    after_cycles: int
    why: str


def missing_for(result: Result, member: int) -> list[Missing]:
    """All distances of one member in this cycle; goals that are reached are left out."""
    missing = [*_for_activity(result, member), *_for_qualification(result, member)]
    missing += [*_for_next_pay(result, member), *_for_next_rank(result, member)]
    return [part for part in missing if part.amount > 0]


def expiries(result: Result, member: int) -> list[Expiry]:
    """What of the carry goes if the member stays inactive, and how much room is left below the limit."""
    binary, members = result.inputs.plan.binary, result.members
    if binary is None or binary.carry_cycles == MAX:
        return []
    left = max(0, binary.carry_cycles - int(members.inactive_cycles[member]))
    carry = {"left": int(members.carry_left[member]), "right": int(members.carry_right[member])}
    why = f"after {binary.carry_cycles} inactive cycles in a row"
    return [Expiry(leg, volume, left, why) for leg, volume in carry.items() if volume > 0]


def _window(result: Result) -> Ints:
    return added(result.members.pv, result.inputs.state.pv_prior, "members: personal volume")


def _for_activity(result: Result, member: int) -> list[Missing]:
    if result.inputs.network.status[member] != ACTIVE:
        return []
    wanted = result.inputs.plan.activity.personal_volume
    return [Missing("active", "personal volume", wanted - int(_window(result)[member]))]


def _for_qualification(result: Result, member: int) -> list[Missing]:
    binary = result.inputs.plan.binary
    if binary is None:
        return []
    sponsored = sponsored_in_legs(result.inputs.network, result.members.active)
    what = "active members sponsored in person"
    return [
        Missing("qualified", what, binary.each_leg - int(count[member]), leg, is_volume=False)
        for leg, count in zip(("left", "right"), sponsored, strict=True)
    ]


def _for_next_pay(result: Result, member: int) -> list[Missing]:
    """Volume on which leg to the next pay step, as the legs stand in this cycle."""
    binary, network = result.inputs.plan.binary, result.inputs.network
    if binary is None:
        return []
    pack = network.packs[network.pack[member]]
    if int(result.members.binary_paid[member]) == cap_money(result, member, binary, pack):
        return []
    wanted = _wanted(binary, pack, *legs_before(result, member))
    return [
        Missing("next pay step", "volume", amount, leg)
        for leg, amount in zip(("left", "right"), wanted, strict=True)
    ]


def _wanted(binary: Binary, pack: str, left: int, right: int) -> tuple[int, int]:
    """How much of each leg is missing for the next step of pay."""
    if isinstance(binary.mode, Pairs):
        return _for_one_more_pair(binary.mode, left, right)
    if isinstance(binary.mode, Tiers):
        step = min((volume for volume in binary.mode.volumes if volume > min(left, right)), default=-MAX)
        return step - left, step - right
    return _for_more_matched(binary.mode, pack, left, right)


def _for_more_matched(mode: Percent, pack: str, left: int, right: int) -> tuple[int, int]:
    """Up to the least match; from there on the smaller leg is matched as it grows, up to the other."""
    if mode.rate.get(pack, 0) == 0:
        return 0, 0
    smaller, larger = min(left, right), max(left, right)
    step = larger if larger > smaller else larger + 1
    if smaller < mode.min_match:
        step = mode.min_match
    return max(step, 1) - left, max(step, 1) - right


def _for_one_more_pair(mode: Pairs, left: int, right: int) -> tuple[int, int]:
    if min(left, right) > 0:
        legs = PairedLegs(np.array([left]), np.array([right]), mode)
        taken = legs.taken_by(legs.pairs)
        left, right = left - int(taken.left[0]), right - int(taken.right[0])
    if left >= right:
        return mode.strong - left, mode.weak - right
    return mode.weak - left, mode.strong - right


def _for_next_rank(result: Result, member: int) -> list[Missing]:
    ranks, held = result.inputs.plan.ranks, int(result.members.rank[member])
    if held + 1 >= len(ranks):
        return []
    rank, members, network = ranks[held + 1], result.members, result.inputs.network
    personal = Personal(members.pv, _window(result), members.active)
    standing = standing_of(network, personal, Legs(members.new_left, members.new_right))
    goal, weak_leg = f"rank {rank.name}", -MAX if rank.weak_leg_volume is None else rank.weak_leg_volume
    legs = {"left": int(members.new_left[member]), "right": int(members.new_right[member])}
    return [
        Missing(goal, "personal volume", (rank.personal_volume or 0) - int(standing.window_pv[member])),
        *(Missing(goal, "new volume", weak_leg - new, leg) for leg, new in legs.items()),
        Missing(
            goal,
            "active members sponsored in person",
            (rank.sponsored_active or 0) - int(standing.sponsored_active[member]),
            is_volume=False,
        ),
        *_for_leg_rank(result, member, rank, goal),
    ]


def _for_leg_rank(result: Result, member: int, rank: Rank, goal: str) -> list[Missing]:
    """A holder of the lower rank in each leg."""
    if rank.leg_rank is None:
        return []
    network, holders = result.inputs.network, result.members.rank >= rank.leg_rank
    what = f"a member of rank {result.inputs.plan.ranks[rank.leg_rank].name} or higher"
    has = in_each_leg(network, holders)
    if has[member]:
        return []
    below = np.nonzero(holders)[0]
    above = np.full(len(below), member)
    in_leg = {"left": network.is_in_left(below, above), "right": network.is_in_right(below, above)}
    return [Missing(goal, what, int(not there.any()), leg, is_volume=False) for leg, there in in_leg.items()]
