"""Step 3: paid-as ranks, decided low to high over the whole network, and what they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from portal.engine.activity import Personal
from portal.engine.arithmetic import Flags, Ints, Whole
from portal.engine.blocks import blocks
from portal.engine.events import NONE
from portal.engine.legs import Legs, in_each_leg
from portal.engine.network import Network
from portal.engine.parts import Rank


class Standing(NamedTuple):
    """What the requirements of ranks look at, per member."""

    window_pv: Ints
    weak_leg: Ints
    sponsored_active: Ints


@dataclass(frozen=True)
class PaidAs:
    """Each member's rank as its place among `ranks`, -1 without one.

    A rank gives the largest of what it and those below it give.
    """

    rank: NDArray[np.int32]
    ranks: tuple[Rank, ...]

    def some(self, members: slice | Whole) -> PaidAs:
        """The ranks of some members."""
        return PaidAs(self.rank[members], self.ranks)

    @property
    def cap(self) -> Ints:
        """The cap on binary money that the rank gives; 0 if none."""
        return self._given("cap")

    @property
    def matching_depth(self) -> Ints:
        """How many generations of matching the rank gives."""
        return self._given("matching_depth")

    def _given(self, what: str) -> Ints:
        return np.array([*self.largest(what), 0], np.int64)[self.rank]

    def largest(self, what: str) -> list[int]:
        """For each rank the largest value among it and those below it."""
        given = [getattr(rank, what) for rank in self.ranks]
        return [max(given[: place + 1]) for place in range(len(given))]


def paid_as(ranks: tuple[Rank, ...], network: Network, personal: Personal, legs: Legs) -> PaidAs:
    """Give every member the highest rank of which, and of every rank below which, all requirements hold."""
    rank = np.full(len(network), NONE, np.int32)
    if not ranks:
        return PaidAs(rank, ranks)
    standing = standing_of(network, personal, legs)
    holds = personal.active
    holders: list[Flags] = []
    for asked in ranks:
        holds = holds & _meets(asked, network, standing, holders)
        holders.append(holds)
        rank += holds
    return PaidAs(rank, ranks)


def standing_of(network: Network, personal: Personal, legs: Legs) -> Standing:
    """What counts for ranks: only this cycle's volume in the legs, and active members sponsored anywhere."""
    counted, weak_leg = np.zeros((2, len(network)), np.int64)
    for block in blocks(len(network)):
        sponsor = network.sponsor[block]
        np.add.at(counted, sponsor[personal.active[block] & (sponsor >= 0)], 1)
        np.minimum(legs.left[block], legs.right[block], out=weak_leg[block])
    return Standing(personal.window_pv, weak_leg, counted)


def _meets(asked: Rank, network: Network, standing: Standing, holders: list[Flags]) -> Flags:
    met = np.ones(len(network), np.bool_)
    for has, wanted in (
        (standing.window_pv, asked.personal_volume),
        (standing.weak_leg, asked.weak_leg_volume),
        (standing.sponsored_active, asked.sponsored_active),
    ):
        if wanted is not None:
            met &= has >= wanted
    if asked.leg_rank is not None:
        met &= in_each_leg(network, holders[asked.leg_rank])
    return met
