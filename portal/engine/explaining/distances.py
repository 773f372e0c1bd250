"""What is missing: for being active, qualified, paid once more, of the next rank; and what expires when."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from portal.engine.activity import Personal
from portal.engine.arithmetic import MAX, Flags, Ints, added
from portal.engine.binary_plan import Binary, Pairs, Percent, Tiers
from portal.engine.cycle import Result
from portal.engine.legs import Legs, in_legs, sponsored_in_legs
from portal.engine.modes import PairedLegs
from portal.engine.network import ACTIVE
from portal.engine.parts import Rank
from portal.engine.plan import Plan
from portal.engine.ranks import PaidAs, standing_of


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


@dataclass(frozen=True)
class Figures:
    """What one member's distances are reckoned from: volumes in hundredths, people as counts, flags as 0, 1.

    `left` and `right` hold what was carried in, below 0 where reversals left a debt; `rank` is the place of
    the rank held, -1 for none; `holder_left` says whether somebody of the rank that the next one asks for
    stands there.
    """

    may_be_active: int
    window_pv: int
    left: int
    right: int
    new_left: int
    new_right: int
    at_cap: int
    rank: int
    sponsored_active: int
    sponsored_left: int
    sponsored_right: int
    holder_left: int
    holder_right: int
    carry_left: int
    carry_right: int
    expired_left: int
    expired_right: int
    inactive_cycles: int


def figures(result: Result) -> dict[str, Ints]:
    """The fields of `Figures` for everybody, one column each."""
    members, network, state = result.members, result.inputs.network, result.inputs.state
    personal = Personal(members.pv, _window(result), members.active)
    sponsored = sponsored_in_legs(network, members.active)
    holder_left, holder_right = _holders(result)
    columns: dict[str, Any] = {
        "may_be_active": network.status == ACTIVE,
        "window_pv": personal.window_pv,
        "left": state.carry_left + members.new_left,
        "right": state.carry_right + members.new_right,
        "at_cap": _at_cap(result),
        "sponsored_active": standing_of(network, personal, Legs(members.new_left, members.new_right))[2],
        "sponsored_left": sponsored.left,
        "sponsored_right": sponsored.right,
        "holder_left": holder_left,
        "holder_right": holder_right,
    }
    for field in fields(Figures):
        columns.setdefault(field.name, getattr(members, field.name, None))
    return {name: column.astype(np.int64) for name, column in columns.items()}


def figures_of(result: Result, member: int) -> Figures:
    """What one member's distances are reckoned from."""
    return Figures(**{name: int(column[member]) for name, column in figures(result).items()})


def missing_for(result: Result, member: int) -> list[Missing]:
    """All distances of one member in this cycle; goals that are reached are left out."""
    network = result.inputs.network
    return missing_by(result.inputs.plan, network.packs[network.pack[member]], figures_of(result, member))


def missing_by(plan: Plan, pack: str, now: Figures) -> list[Missing]:
    """The same from the figures alone."""
    missing = [*_for_activity(plan, now), *_for_qualification(plan, now)]
    missing += [*_for_next_pay(plan, pack, now), *_for_next_rank(plan, now)]
    return [part for part in missing if part.amount > 0]


def expiries(result: Result, member: int) -> list[Expiry]:
    """What of the carry goes if the member stays inactive, and when: after 0 cycles is with this one."""
    return expiries_by(result.inputs.plan, figures_of(result, member))


def expiries_by(plan: Plan, now: Figures) -> list[Expiry]:
    """The same from the figures alone."""
    binary = plan.binary
    if binary is None or binary.carry_cycles == MAX:
        return []
    left = max(0, binary.carry_cycles - now.inactive_cycles)
    carry = {"left": now.carry_left, "right": now.carry_right}
    if left == 0:
        carry = {"left": now.expired_left, "right": now.expired_right}
    why = f"after {binary.carry_cycles} inactive cycles in a row"
    return [Expiry(leg, volume, left, why) for leg, volume in carry.items() if volume > 0]


def _window(result: Result) -> Ints:
    return added(result.members.pv, result.inputs.state.pv_prior, "members: personal volume")


def _at_cap(result: Result) -> Flags:
    """Who is paid all that the binary may pay them."""
    binary, network, members = result.inputs.plan.binary, result.inputs.network, result.members
    if binary is None:
        return np.zeros(len(network), np.bool_)
    of_pack = np.array([binary.cap_money.get(pack, -1) for pack in network.packs], np.int64)[network.pack]
    ranks = PaidAs(members.rank, result.inputs.plan.ranks)
    at_cap: Flags = (of_pack >= 0) & (members.binary_paid == np.maximum(of_pack, ranks.cap))
    return at_cap


def _holders(result: Result) -> tuple[Flags, Flags]:
    """Who has, in the left and in the right leg, a holder of the rank that their next rank asks for."""
    network, rank = result.inputs.network, result.members.rank
    left, right = np.zeros((2, len(network)), np.bool_)
    for place, asked in enumerate(result.inputs.plan.ranks):
        if asked.leg_rank is None:
            continue
        aims, holders = rank == place - 1, in_legs(network, rank >= asked.leg_rank)
        left[aims], right[aims] = holders.left[aims] > 0, holders.right[aims] > 0
    return left, right


def _for_activity(plan: Plan, now: Figures) -> list[Missing]:
    if not now.may_be_active:
        return []
    return [Missing("active", "personal volume", plan.activity.personal_volume - now.window_pv)]


def _for_qualification(plan: Plan, now: Figures) -> list[Missing]:
    if plan.binary is None:
        return []
    what = "active members sponsored in person"
    return [
        Missing("qualified", what, plan.binary.each_leg - count, leg, is_volume=False)
        for leg, count in (("left", now.sponsored_left), ("right", now.sponsored_right))
    ]


def _for_next_pay(plan: Plan, pack: str, now: Figures) -> list[Missing]:
    """Volume on which leg to the next pay step, as the legs stand in this cycle."""
    if plan.binary is None or now.at_cap:
        return []
    wanted = wanted_for_step(plan.binary, pack, now.left, now.right)
    return [
        Missing("next pay step", "volume", amount, leg)
        for leg, amount in zip(("left", "right"), wanted, strict=True)
    ]


def wanted_for_step(binary: Binary, pack: str, left: int, right: int) -> tuple[int, int]:
    """How much of each leg is missing for the next step of pay; by percent, until all there is is matched."""
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


def _for_next_rank(plan: Plan, now: Figures) -> list[Missing]:
    if now.rank + 1 >= len(plan.ranks):
        return []
    rank = plan.ranks[now.rank + 1]
    goal, weak_leg = f"rank {rank.name}", -MAX if rank.weak_leg_volume is None else rank.weak_leg_volume
    sponsored = (rank.sponsored_active or 0) - now.sponsored_active
    return [
        Missing(goal, "personal volume", (rank.personal_volume or 0) - now.window_pv),
        *(Missing(goal, "new volume", weak_leg - new, leg) for leg, new in _new(now)),
        Missing(goal, "active members sponsored in person", sponsored, is_volume=False),
        *_for_leg_rank(plan, rank, now, goal=goal),
    ]


def _new(now: Figures) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("left", now.new_left), ("right", now.new_right)


def _for_leg_rank(plan: Plan, rank: Rank, now: Figures, *, goal: str) -> list[Missing]:
    """A holder of the lower rank in each leg."""
    if rank.leg_rank is None:
        return []
    what = f"a member of rank {plan.ranks[rank.leg_rank].name} or higher"
    there = {"left": now.holder_left, "right": now.holder_right}
    return [Missing(goal, what, int(not found), leg, is_volume=False) for leg, found in there.items()]
