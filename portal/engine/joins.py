"""Seats after new members have joined: merged into the order that stands, without walking the forest again.

A new member fills a free slot, and a free slot lies between two seats. So whole new branches are pushed in
between seats, and everybody behind them moves up by their size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from portal.engine.arithmetic import Ints
from portal.engine.blocks import blocks
from portal.engine.order import Order, Short, in_order


class _Branches(NamedTuple):
    """The new branches in their new order: the gap that each is pushed into, and its size.

    Gap `g` lies just before the old seat `g`. A branch on the free right side of the member before the gap
    comes first and belongs to what ends there; one on the free left side of the member behind it comes after.
    """

    gap: Ints
    comes_first: NDArray[np.bool_]
    size: Ints
    first_seat: Ints  # in the numbering of the new members alone


def with_joins(order: Order, parent: Ints, leg: NDArray[np.int8]) -> Order:
    """The order of all members, of whom those that `order` does not know yet stand behind the others."""
    known, count = len(order.seat), len(parent)
    among_new = parent[known:] - known
    tops = np.nonzero(among_new < 0)[0]
    alone = in_order(np.maximum(among_new, -1), np.where(among_new < 0, -1, leg[known:]).astype(np.int8))
    branches = _branches(order, alone, tops, parent=parent[known:], leg=leg[known:])
    before = np.cumsum(branches.size) - branches.size + branches.gap
    moved = np.zeros(count - known, np.int64)
    moved[:] = np.repeat(before - branches.first_seat, branches.size)[_places(branches, alone)]
    seat, lo, hi = np.empty((3, count), np.int64)
    seat[known:], lo[known:], hi[known:] = (column + moved for column in alone)
    pushed_first, pushed = _pushed(branches, known)
    for block in blocks(known):
        np.add(order.seat[block], pushed[order.seat[block]], out=seat[block])
        np.add(order.lo[block], pushed_first[order.lo[block] + 1], out=lo[block])
        np.add(order.hi[block], pushed_first[order.hi[block]], out=hi[block])
    return Order(seat, lo, hi)


def _branches(order: Order, alone: Order, tops: Ints, *, parent: Ints, leg: NDArray[np.int8]) -> _Branches:
    known = len(order.seat)
    above = parent[tops]
    seat = order.seat[above] if known else above
    on_right = (leg[tops] == 1) & (above >= 0)
    gap = np.where(above < 0, known, seat + on_right)
    ordered = np.lexsort((tops, above < 0, ~on_right, gap))
    tops, first_seat = tops[ordered], alone.lo[tops[ordered]] + 1
    return _Branches(gap[ordered], on_right[ordered], alone.hi[tops] - first_seat, first_seat)


def _pushed(branches: _Branches, known: int) -> tuple[Short, Short]:
    """For every gap how many are pushed in before its second part, and before its end."""
    size, second = branches.size.astype(np.int32), ~branches.comes_first
    upto = np.zeros(known + 1, np.int32)
    np.add.at(upto, branches.gap, size)
    np.cumsum(upto, out=upto)
    before_second = upto.copy()
    np.subtract.at(before_second, branches.gap[second], size[second])
    return before_second, upto


def _places(branches: _Branches, alone: Order) -> Ints:
    """For each new member its place when the branches stand one behind the other in their new order."""
    starts = np.cumsum(branches.size) - branches.size
    by_seat = np.argsort(branches.first_seat)
    shift = np.repeat((starts - branches.first_seat)[by_seat], branches.size[by_seat])
    return alone.seat + shift[alone.seat]
