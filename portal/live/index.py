"""Volumes and people of every leg, in memory: reads cost what is new, never what is below.

Members that were there when the order was made have a seat in it (see `engine.order`), and a leg is a run of
seats: its volume is a difference of two running sums and the few sales since those were taken. Members who
joined later stand in a free slot beside a seat until they are merged in; every older member counts them by
the place of that slot, so nothing is renumbered for a join.
"""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from portal.engine.joins import with_joins
from portal.engine.order import in_order
from portal.store.columns import NONE

Ints = NDArray[np.int64]

Number = TypeVar("Number", np.int64, np.int8)

MOST_RECENT: Final = 8_192
FEWEST_JOINS: Final = 2_000
JOINS_SHARE: Final = 500


class LegFigures(NamedTuple):
    """Both legs of one member: volume in hundredths, people as a count; the member is in neither."""

    left: int
    right: int
    people_left: int
    people_right: int


class LiveIndex:
    """The legs of n members, given by index: `parent` (-1 for a root) and `leg` (0 left, 1 right, -1 root).

    A place is a number on a line with three steps for each seat: the free slot to its left, the seat, the
    free slot to its right. A new member has the place of the slot in which the oldest new member above it
    stands, so that places of new members repeat.
    """

    def __init__(self, parent: Ints, leg: NDArray[np.int8], volume: Ints, *, most_joins: int = 0) -> None:
        self._parent, self._leg, self._volume = _Grown(parent), _Grown(leg), _Grown(volume)
        self._most_joins = most_joins
        self._levels: NDArray[np.int32] | None = None
        self._order = in_order(parent, leg)
        self._settle()

    def __len__(self) -> int:
        return len(self._parent)

    @property
    def nbytes(self) -> int:
        """The memory of the arrays, in bytes."""
        arrays = [*self._order, self._sums, self._by_seat, self._recent_seat, self._recent_volume]
        return sum(array.nbytes for array in arrays) + sum(
            grown.nbytes for grown in (self._parent, self._leg, self._volume)
        )

    def sell(self, members: Ints, volumes: Ints) -> None:
        """Count volume (hundredths, below 0 for a reversal) of members by index."""
        np.add.at(self._volume.values, members, volumes)
        is_old = members < self._known
        self._remember(self._order.seat[members[is_old]], volumes[is_old])
        for member, volume in zip(members[~is_old].tolist(), volumes[~is_old].tolist(), strict=True):
            self._new_volume[member - self._known] += volume
            self._tell_new_above(member, volume, 0)

    def join(self, parent: int, leg: int, volume: int = 0) -> int:
        """Place a new member in a free spot, with volume from before it was placed; returns its index."""
        member = len(self)
        self._parent.append(parent)
        self._leg.append(leg)
        self._volume.append(volume)
        at = member - self._known
        self._new_place[at] = self._slot(parent, leg)
        is_first = parent < self._known
        self._new_steps[at] = 1 if is_first else self._new_steps[parent - self._known] + 1
        self._new_volume[at] = volume
        self._joined = at + 1
        self._below_new.append([0, 0, 0, 0])
        self._tell_new_above(member, volume, 1)
        if self._joined == len(self._new_place):
            self.merge()
        return member

    def merge(self) -> None:
        """Give seats to everybody who joined since the last time."""
        self._order = with_joins(self._order, self._parent.values, self._leg.values)
        self._settle()

    def start_afresh(self) -> None:
        """A new cycle: nobody has sold anything yet."""
        self._volume.values[:] = 0
        self.merge()

    def volume_of(self, member: int) -> int:
        """A member's own volume."""
        return int(self._volume.values[member])

    def legs(self, member: int) -> LegFigures:
        """Both legs of a member as they stand now."""
        if member >= self._known:
            return LegFigures(*self._below_new[member - self._known])
        seat, lo, hi = (int(column[member]) for column in self._order)
        sums = self._sums
        left, right = int(sums[seat] - sums[lo + 1]), int(sums[hi] - sums[seat + 1])
        people_left, people_right = seat - lo - 1, hi - seat - 1
        if self._recent:
            seats, volumes = self._recent_seat[: self._recent], self._recent_volume[: self._recent]
            left += int(volumes[(seats > lo) & (seats < seat)].sum())
            right += int(volumes[(seats > seat) & (seats < hi)].sum())
        if self._joined:
            places, volumes = self._new_place[: self._joined], self._new_volume[: self._joined]
            on_left = (places >= 3 * (lo + 1)) & (places <= 3 * seat)
            on_right = (places >= 3 * seat + 2) & (places < 3 * hi)
            left += int(volumes[on_left].sum())
            right += int(volumes[on_right].sum())
            people_left += int(np.count_nonzero(on_left))
            people_right += int(np.count_nonzero(on_right))
        return LegFigures(left, right, people_left, people_right)

    def sides(self, members: Ints, top: int) -> NDArray[np.int8]:
        """On which leg of `top` members stand: 0 left, 1 right, -1 for who is in neither."""
        sides = np.full(len(members), NONE, np.int8)
        is_new = members >= self._known
        if top >= self._known:
            sides[is_new] = self._sides_among_new(top)[members[is_new] - self._known]
            return sides
        seat, lo, hi = (int(column[top]) for column in self._order)
        places = np.empty(len(members), np.int64)
        places[is_new] = self._new_place[members[is_new] - self._known]
        places[~is_new] = 3 * self._order.seat[members[~is_new]] + 1
        sides[(places >= 3 * (lo + 1)) & (places <= 3 * seat)] = 0
        sides[(places >= 3 * seat + 2) & (places < 3 * hi)] = 1
        return sides

    def levels(self, members: Ints) -> Ints:
        """How far below the root of their tree members stand; 0 for a root."""
        is_new = members >= self._known
        new = members[is_new] - self._known
        seats = np.empty(len(members), np.int64)
        seats[is_new], seats[~is_new] = self._new_place[new] // 3, self._order.seat[members[~is_new]]
        levels: Ints = self._levels_by_seat()[seats].astype(np.int64)
        levels[is_new] += self._new_steps[new]
        return levels

    def way(self, member: int, top: int) -> Ints:
        """The members from `top` down to one below it, or to itself; nothing where it is not below."""
        parents, below = self._parent.values, []
        while member >= self._known and member != top:
            below.append(member)
            member = int(parents[member])
        if member == top or member < 0 or top >= self._known:
            return np.array([top, *reversed(below)] if member == top else [], np.int64)
        seat, lo, hi = self._order
        at = int(seat[member])
        inside = (lo < at) & (at < hi) & (lo >= lo[top]) & (hi <= hi[top])
        above = np.flatnonzero(inside)
        if not len(above):
            return above
        seated = above[np.argsort(self._levels_by_seat()[seat[above]])]
        return np.concatenate([seated, np.array(below[::-1], np.int64)])

    def leg_of(self, members: Ints) -> NDArray[np.int8]:
        """On which leg of whoever is above them members stand; -1 for a root."""
        return self._leg.values[members]

    def _sides_among_new(self, top: int) -> NDArray[np.int8]:
        """The sides of everybody new on the legs of somebody new; who joined later stands further down."""
        parents, legs = self._parent.values, self._leg.values
        sides = np.full(self._joined, NONE, np.int8)
        for member in range(top + 1, len(self)):
            parent = int(parents[member])
            if parent == top:
                sides[member - self._known] = legs[member]
            elif parent > top:
                sides[member - self._known] = sides[parent - self._known]
        return sides

    def _levels_by_seat(self) -> NDArray[np.int32]:
        """How many subtrees a seat lies in but for its own; -1 behind the last one, above new trees."""
        if self._levels is None:
            begins = np.bincount(self._order.lo + 1, minlength=self._known + 1)
            ends = np.bincount(self._order.hi, minlength=self._known + 1)
            self._levels = (np.cumsum(begins - ends) - 1).astype(np.int32)
        return self._levels

    def _settle(self) -> None:
        """Take the running sums anew; nothing is recent and nobody is new after it."""
        self._known = len(self)
        joins = self._most_joins or max(FEWEST_JOINS, self._known // JOINS_SHARE)
        self._by_seat = np.empty(self._known, np.int64)
        self._by_seat[self._order.seat] = self._volume.values
        self._sums = np.zeros(self._known + 1, np.int64)
        np.cumsum(self._by_seat, out=self._sums[1:])
        self._recent_seat, self._recent_volume = (np.empty(MOST_RECENT, np.int64) for _ in range(2))
        self._recent = 0
        self._new_place, self._new_volume, self._new_steps = (np.zeros(joins, np.int64) for _ in range(3))
        self._levels = None
        self._joined = 0
        self._below_new: list[list[int]] = []

    def _remember(self, seats: Ints, volumes: Ints) -> None:
        """Keep sales of seated members beside the running sums, and take the sums anew when they are many."""
        room = MOST_RECENT - self._recent
        if len(seats) > room:
            recent = slice(0, self._recent)
            np.add.at(self._by_seat, self._recent_seat[recent], self._recent_volume[recent])
            np.add.at(self._by_seat, seats, volumes)
            np.cumsum(self._by_seat, out=self._sums[1:])
            self._recent = 0
            return
        upto = self._recent + len(seats)
        self._recent_seat[self._recent : upto] = seats
        self._recent_volume[self._recent : upto] = volumes
        self._recent = upto

    def _slot(self, parent: int, leg: int) -> int:
        if parent < 0:
            # Behind everybody: a new tree is in nobody's leg.
            return 3 * self._known
        if parent >= self._known:
            return int(self._new_place[parent - self._known])
        return 3 * int(self._order.seat[parent]) + (2 if leg else 0)

    def _tell_new_above(self, member: int, volume: int, people: int) -> None:
        """Add to the legs of the new members above one; the seated ones count by place."""
        parents, legs = self._parent.values, self._leg.values
        above = int(parents[member])
        while above >= self._known:
            figures = self._below_new[above - self._known]
            side = int(legs[member])
            figures[side] += volume
            figures[side + 2] += people
            member, above = above, int(parents[above])


class _Grown(Generic[Number]):
    """An array that grows by appending."""

    def __init__(self, values: NDArray[Number]) -> None:
        self._room = np.concatenate([values, np.zeros(max(1024, len(values) >> 3), values.dtype)])
        self._used = len(values)

    def __len__(self) -> int:
        return self._used

    @property
    def values(self) -> NDArray[Number]:
        return self._room[: self._used]

    @property
    def nbytes(self) -> int:
        return self._room.nbytes

    def append(self, value: int) -> None:
        if self._used == len(self._room):
            self._room = np.concatenate([self._room, np.zeros(max(1024, self._used >> 2), self._room.dtype)])
        self._room[self._used] = value
        self._used += 1
