"""Step 5, match and cap: what the two legs of a member earn, in each of the three modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from portal.engine.arithmetic import (
    MAX,
    MONEY_UNIT,
    Flags,
    Ints,
    product,
    rounded_share,
    smallest_yielding,
)
from portal.engine.binary_plan import Binary, Pairs, Percent, Tiers
from portal.engine.legs import Legs
from portal.engine.plan import Plan, by_pack

NO_CAP: Final = MAX


class Pay(NamedTuple):
    """Per member: volume matched, money for it, money paid, volumes taken, and whether a cap was exceeded."""

    matched: Ints
    earned: Ints
    paid: Ints
    taken: Legs
    exceeded: Flags


class Ready(NamedTuple):
    """Members as they come to the match: their legs, who may match, packs, what the ranks cap at."""

    legs: Legs
    may_match: Flags
    pack: NDArray[np.int32]
    packs: tuple[str, ...]
    rank_cap: Ints


@dataclass(frozen=True)
class Candidates:
    """Those members whose legs are both above zero and who may match: their legs, packs and money caps."""

    plan: Plan
    binary: Binary
    packs: tuple[str, ...]
    pack: NDArray[np.int32]
    left: Ints
    right: Ints
    cap_money: Ints

    @property
    def keeps(self) -> bool:
        """Whether only what was paid for is taken."""
        return self.binary.over_cap == "keep"


def match(plan: Plan, binary: Binary, ready: Ready) -> Pay:
    """Match the legs of all who may; nothing happens to the others."""
    legs, packs = ready.legs, ready.packs
    rows = np.nonzero(ready.may_match & (np.minimum(legs.left, legs.right) > 0))[0]
    pack = ready.pack[rows]
    own_cap = by_pack(binary.cap_money, packs, missing=NO_CAP)[pack]
    cap_money = np.maximum(own_cap, ready.rank_cap[rows])
    these = Candidates(plan, binary, packs, pack, legs.left[rows], legs.right[rows], cap_money)
    if isinstance(binary.mode, Percent):
        pay = _percent(these, binary.mode)
    elif isinstance(binary.mode, Pairs):
        pay = _pairs(these, binary.mode)
    else:
        pay = _tiers(these, binary.mode)
    matched, earned, paid, left, right, exceeded = (
        _spread(column, rows, len(ready.pack))
        for column in (pay.matched, pay.earned, pay.paid, *pay.taken, pay.exceeded)
    )
    return Pay(matched, earned, paid, Legs(left, right), exceeded)


def nothing_paid(size: int) -> Pay:
    """What a plan without `binary` pays."""
    none = np.zeros(size, np.int64)
    return Pay(none, none, none, Legs(none, none), np.zeros(size, np.bool_))


def _spread(values: NDArray[Any], rows: Ints, size: int) -> NDArray[Any]:
    spread = np.zeros(size, values.dtype)
    spread[rows] = values
    return spread


def _percent(these: Candidates, mode: Percent) -> Pay:
    """The smaller leg at the pack's rate; 0 below the least match."""
    rate = by_pack(mode.rate, these.packs)[these.pack]
    value = rate * these.plan.point_value
    smaller = np.minimum(these.left, these.right)
    matched = np.where((rate > 0) & (smaller >= mode.min_match), smaller, 0)
    cap_volume = by_pack(mode.cap_volume, these.packs, missing=NO_CAP)[these.pack]
    inside = np.minimum(matched, cap_volume)
    earned = rounded_share(matched, value, MONEY_UNIT)
    earned_inside = rounded_share(inside, value, MONEY_UNIT)
    paid = np.minimum(earned_inside, these.cap_money)
    too_much_money = earned_inside > these.cap_money
    taken = matched
    if these.keeps:
        taken = inside.copy()
        cut = np.nonzero(too_much_money)[0]
        taken[cut] = smallest_yielding(paid[cut], MONEY_UNIT, value[cut])
    return Pay(matched, earned, paid, Legs(taken, taken), (matched > cap_volume) | too_much_money)


def _tiers(these: Candidates, mode: Tiers) -> Pay:
    """The highest tier that both legs reach, once; a tier is always taken whole."""
    smaller = np.minimum(these.left, these.right)
    reached = np.searchsorted(np.array(mode.volumes, np.int64), smaller, "right")
    matched = np.array([0, *mode.volumes], np.int64)[reached]
    earned = np.array([0, *mode.pays], np.int64)[reached]
    paid = np.minimum(earned, these.cap_money)
    return Pay(matched, earned, paid, Legs(matched, matched), earned > these.cap_money)


def _pairs(these: Candidates, mode: Pairs) -> Pay:
    """As many pairs as the legs give, the larger leg giving the strong side of each."""
    legs = PairedLegs(these.left, these.right, mode)
    cap_pairs = by_pack(mode.cap_pairs, these.packs, missing=NO_CAP)[these.pack]
    inside = np.minimum(legs.pairs, cap_pairs)
    earned = product(legs.pairs, mode.pay, "members: binary_earned")
    earned_inside = inside * mode.pay
    paid = np.minimum(earned_inside, these.cap_money)
    too_much_money = earned_inside > these.cap_money
    kept = legs.pairs
    if these.keeps:
        kept = np.where(too_much_money, -(-paid // max(mode.pay, 1)), inside)
    exceeded = (legs.pairs > cap_pairs) | too_much_money
    return Pay(legs.pairs * mode.weak, earned, paid, legs.taken_by(kept), exceeded)


class PairedLegs:
    """How many pairs two legs give, and what the first of them take, without going through the pairs.

    At first one leg is the larger and gives the strong side of each pair, until it is no longer. From then on
    the two take turns, since each pair changes their difference by just as much as the next one undoes.
    """

    def __init__(self, left: Ints, right: Ints, mode: Pairs) -> None:
        self.mode, self.left_is_larger = mode, left >= right
        strong, weak = mode.strong, mode.weak
        larger, other = np.maximum(left, right), np.minimum(left, right)
        until_turned = _pairs_until_turned(larger - other, strong - weak, self.left_is_larger)
        self.at_first = np.minimum(until_turned, np.minimum(larger // strong, other // weak))
        larger, other = larger - self.at_first * strong, other - self.at_first * weak
        rounds = np.minimum(larger, other) // (strong + weak)
        larger, other = larger - rounds * (strong + weak), other - rounds * (strong + weak)
        one_more = (other >= strong) & (larger >= weak)
        turns = np.where(self.at_first == until_turned, 2 * rounds + one_more, 0)
        self.pairs: Ints = self.at_first + turns

    def taken_by(self, pairs: Ints) -> Legs:
        """What the first of the pairs take from left and right."""
        strong, weak = self.mode.strong, self.mode.weak
        at_first = np.minimum(pairs, self.at_first)
        turns = pairs - at_first
        of_other, of_larger = (turns + 1) // 2, turns // 2
        larger = (at_first + of_larger) * strong + of_other * weak
        other = (at_first + of_larger) * weak + of_other * strong
        return Legs(
            np.where(self.left_is_larger, larger, other), np.where(self.left_is_larger, other, larger)
        )


def _pairs_until_turned(ahead: Ints, step: int, left_is_larger: Flags) -> Ints:
    """After how many pairs the larger leg is no longer the larger; on a tie the left one is."""
    if step == 0:
        return np.full(len(ahead), NO_CAP)
    return np.where(left_is_larger, ahead // step + 1, -(-ahead // step))
