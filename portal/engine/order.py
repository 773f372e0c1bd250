"""Every member's seat: its place in the in-order numbering of the placement forest.

With everybody of the left leg numbered before a member and everybody of the right leg after it, a leg is
an unbroken run of seats, whatever the shape of the tree. The numbering walks around each tree (its Euler
tour: once down to every member, once up from it) in many short lanes at the same time and then joins the
lanes, so a chain of all members costs what a bushy tree costs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from portal.engine.arithmetic import Ints
from portal.engine.blocks import blocks

Short = NDArray[np.int32]

FEW_VISITS: Final = 1 << 12
SHORTEST_LANE: Final = 8
USUAL_LANE: Final = 64
FEW_LANES: Final = 1 << 13
MOST_LANES: Final = 1 << 17


class Order(NamedTuple):
    """Per member: its `seat`, and the seats just outside its subtree on both sides."""

    seat: Ints
    lo: Ints
    hi: Ints


class Seats(NamedTuple):
    """Per seat: the `member` on it, the `first` seat of its subtree, and the one `behind` that."""

    member: Ints
    first: Ints
    behind: Ints

    @staticmethod
    def of(order: Order) -> Seats:
        """The same order, seat by seat."""
        member, first, behind = (np.empty_like(order.seat) for _ in range(3))
        for block in blocks(len(order.seat)):
            seat = order.seat[block]
            member[seat] = np.arange(block.start, block.stop)
            first[seat], behind[seat] = order.lo[block] + 1, order.hi[block]
        return Seats(member, first, behind)


class _Tour(NamedTuple):
    """The walk: visit `i` goes down to member i, visit `n + i` up from it; the last one points at itself."""

    following: Short
    gives_seat: NDArray[np.int8]
    left_child: Short
    start: int


def in_order(parent: Ints, leg: NDArray[np.int8]) -> Order:
    """Number a sound forest (no cycles, one member per slot), given as n indices, -1 for a root."""
    count = len(parent)
    if not count:
        return Order(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    tour = _walk_around(parent, leg)
    given = _seats_given_before(tour)
    down, up = given[:count], given[count:]
    has_left = tour.left_child >= 0
    seat = np.where(has_left, up[tour.left_child], down)
    return Order(seat.astype(np.int64), down.astype(np.int64) - 1, up.astype(np.int64))


def _walk_around(parent: Ints, leg: NDArray[np.int8]) -> _Tour:
    count = len(parent)
    members = np.arange(count, dtype=np.int32)
    left_child, right_child = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    lefts, rights = members[(parent >= 0) & (leg == 0)], members[(parent >= 0) & (leg == 1)]
    left_child[parent[lefts]], right_child[parent[rights]] = lefts, rights
    following = np.empty(2 * count, np.int32)
    else_right = np.where(right_child >= 0, right_child, members + count)
    following[:count] = np.where(left_child >= 0, left_child, else_right)
    beside = right_child[parent[lefts]]
    following[lefts + count] = np.where(beside >= 0, beside, parent[lefts] + count)
    following[rights + count] = parent[rights] + count
    roots = members[parent < 0]
    following[roots + count] = np.append(roots[1:], roots[-1] + count)
    gives_seat = np.zeros(2 * count, np.int8)
    gives_seat[:count] = left_child < 0
    gives_seat[lefts + count] = 1
    return _Tour(following, gives_seat, left_child, int(roots[0]))


def _seats_given_before(tour: _Tour) -> Short:
    """How many seats were given out before each visit of the tour."""
    if len(tour.following) <= FEW_VISITS:
        return _walked_alone(tour)
    heads = _lane_heads(tour)
    lane, given, lane_total, next_lane = _run_lanes(tour, heads)
    return given + _seats_before_lane(lane_total, next_lane)[lane]


def _walked_alone(tour: _Tour) -> Short:
    """The same for a short tour, walked in one go."""
    following, gives_seat = tour.following.tolist(), tour.gives_seat.tolist()
    given = [0] * len(following)
    at, seats, ahead = -1, 0, tour.start
    while ahead != at:
        at = ahead
        given[at] = seats
        seats += gives_seat[at]
        ahead = following[at]
    return np.array(given, np.int32)


def _lane_heads(tour: _Tour) -> Short:
    """Where the lanes start. The result does not depend on it; scattered starts only keep all lanes short."""
    visits = len(tour.following)
    few = min(visits // SHORTEST_LANE, FEW_LANES)
    lanes = max(1, min(max(visits // USUAL_LANE, few), MOST_LANES))
    scattered = np.random.default_rng(3).integers(0, visits, lanes)
    return np.unique(np.append(scattered, tour.start)).astype(np.int32)


def _run_lanes(tour: _Tour, heads: Short) -> tuple[Short, Short, Short, Short]:
    """Walk all lanes to the next head. Per visit: lane, seats given; per lane: its sum and successor."""
    visits = len(tour.following)
    is_head = np.zeros(visits, np.bool_)
    is_head[heads] = True
    lane, given = np.zeros(visits, np.int32), np.zeros(visits, np.int32)
    lane_total, next_lane = np.zeros(len(heads), np.int32), np.zeros(len(heads), np.int32)
    at, running, seats = heads, np.arange(len(heads), dtype=np.int32), np.zeros(len(heads), np.int32)
    while len(at):
        lane[at], given[at] = running, seats
        seats = seats + tour.gives_seat[at]
        ahead = tour.following[at]
        stops = is_head[ahead] | (ahead == at)
        if stops.any():
            ended = running[stops]
            lane_total[ended] = seats[stops]
            last = ahead[stops] == at[stops]
            next_lane[ended] = np.where(last, ended, np.searchsorted(heads, ahead[stops]))
            goes = ~stops
            ahead, running, seats = ahead[goes], running[goes], seats[goes]
        at = ahead
    return lane, given, lane_total, next_lane


def _seats_before_lane(lane_total: Short, next_lane: Short) -> Short:
    """Join the lanes: sum from each lane to the end by doubling the reach, and take it from the whole."""
    lanes = np.arange(len(lane_total), dtype=np.int32)
    from_here = np.where(next_lane == lanes, 0, lane_total)
    ahead = next_lane
    while True:
        further = ahead[ahead]
        from_here = from_here + from_here[ahead]
        if np.array_equal(further, ahead):
            break
        ahead = further
    from_here = from_here + lane_total[ahead]
    before: Short = from_here.max() - from_here
    return before
