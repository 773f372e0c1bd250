"""Step 2: what happened in each member's two legs. A leg is an unbroken run of seats, so its volume is a
difference of two running sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from portal.engine.arithmetic import Flags, Ints
from portal.engine.binary_plan import Binary
from portal.engine.blocks import blocks
from portal.engine.network import ACTIVE, Network


class Legs(NamedTuple):
    """Per member: a number for the left leg and one for the right."""

    left: Ints
    right: Ints


def leg_volumes(network: Network, pv: Ints) -> Legs:
    """Sum up the personal volume below each member, by leg; the member itself is in neither."""
    return in_legs(network, pv)


def in_legs(network: Network, values: Ints | Flags) -> Legs:
    """Sum up a value, or count a mark, below each member by leg."""
    left, right = np.empty((2, len(network)), np.int64)
    for members, in_left, in_right in _seat_by_seat(network, values):
        left[members], right[members] = in_left, in_right
    return Legs(left, right)


def in_each_leg(network: Network, holders: Flags) -> Flags:
    """Whether at least one of the holders stands in each of a member's legs."""
    in_each = np.empty(len(network), np.bool_)
    for members, in_left, in_right in _seat_by_seat(network, holders):
        in_each[members] = (in_left > 0) & (in_right > 0)
    return in_each


def _seat_by_seat(network: Network, values: Ints | Flags) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Members and what is in their legs. The differences are taken seat by seat, where memory lies in order,
    and only then handed to the members."""
    seats = network.by_seat
    running = np.zeros(len(network) + 1, np.int64)
    before, after = running[:-1], running[1:]
    for block in blocks(len(network)):
        after[block] = values[seats.member[block]]
    np.cumsum(after, out=after)
    for block in blocks(len(network)):
        in_left = before[block] - running[seats.first[block]]
        yield seats.member[block], in_left, running[seats.behind[block]] - after[block]


def qualified(network: Network, binary: Binary, active: Flags) -> Flags:
    """Who may be paid for matching: enough active members, sponsored in person, stand in each leg."""
    fit = active if binary.must_be_active else network.status == ACTIVE
    if binary.each_leg == 0:
        return fit
    sponsored = sponsored_in_legs(network, active)
    return fit & (sponsored.left >= binary.each_leg) & (sponsored.right >= binary.each_leg)


def sponsored_in_legs(network: Network, active: Flags) -> Legs:
    """How many active members that each member sponsored in person stand in its legs."""
    in_left, in_right = np.zeros((2, len(network)), np.int64)
    for block in blocks(len(network)):
        sponsored = block.start + np.nonzero(active[block] & (network.sponsor[block] >= 0))[0]
        sponsor = network.sponsor[sponsored]
        np.add.at(in_left, sponsor[network.is_in_left(sponsored, sponsor)], 1)
        np.add.at(in_right, sponsor[network.is_in_right(sponsored, sponsor)], 1)
    return Legs(in_left, in_right)
