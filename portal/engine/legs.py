"""Step 2: what happened in each member's two legs. A leg is an unbroken run of seats, so its volume is a
difference of two running sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from portal.engine.arithmetic import Flags, Ints
from portal.engine.binary_plan import Binary
from portal.engine.network import ACTIVE, Network


class Legs(NamedTuple):
    """Per member: a number for the left leg and one for the right."""

    left: Ints
    right: Ints


def leg_volumes(network: Network, pv: Ints) -> Legs:
    """Sum up the personal volume below each member, by leg; the member itself is in neither."""
    return in_legs(network, pv)


def in_legs(network: Network, values: Ints | Flags) -> Legs:
    """Sum up a value, or count a mark, below each member by leg.

    The differences are taken seat by seat, where memory lies in order, and only then handed to the members.
    """
    running = np.zeros(len(network) + 1, np.int64)
    in_seat_order = np.empty(len(network), values.dtype)
    in_seat_order[network.seat] = values
    np.cumsum(in_seat_order, out=running[1:])
    first, behind = network.bounds_by_seat
    left, right = running[:-1] - running[first], running[behind] - running[1:]
    return Legs(left[network.seat], right[network.seat])


def qualified(network: Network, binary: Binary, active: Flags) -> Flags:
    """Who may be paid for matching: enough active members, sponsored in person, stand in each leg."""
    fit = active if binary.must_be_active else network.status == ACTIVE
    if binary.each_leg == 0:
        return fit
    sponsored = sponsored_in_legs(network, active)
    return fit & (np.minimum(sponsored.left, sponsored.right) >= binary.each_leg)


def sponsored_in_legs(network: Network, active: Flags) -> Legs:
    """How many active members that each member sponsored in person stand in its legs."""
    sponsored = np.nonzero(active & (network.sponsor >= 0))[0]
    sponsor = network.sponsor[sponsored]
    in_left = np.bincount(sponsor[network.is_in_left(sponsored, sponsor)], minlength=len(network))
    in_right = np.bincount(sponsor[network.is_in_right(sponsored, sponsor)], minlength=len(network))
    return Legs(in_left, in_right)
