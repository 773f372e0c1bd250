"""What cannot be in a tree: cycles, two members in one slot, a leg without a parent, too many in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from portal.engine.arithmetic import Ints

Naming = Callable[[int], str]


class Trees(Protocol):
    """The three trees, each as who stands above whom; -1 stands for nobody."""

    @property
    def sponsor(self) -> Ints:
        """Who enrolled each member."""

    @property
    def parent(self) -> Ints:
        """Below whom each member is placed."""

    @property
    def leg(self) -> NDArray[np.int8]:
        """On which side: 0 left, 1 right, -1 without a parent."""

    @property
    def matrix_parent(self) -> Ints:
        """Below whom each member stands in the matrix."""


def tree_faults(trees: Trees, name: Naming) -> list[str]:
    """Everything that cannot be in the three trees, one line each; `name` says who."""
    return [
        *_cycle_faults(trees.sponsor, "sponsor", name),
        *_leg_faults(trees.parent, trees.leg, name),
        *_slot_faults(trees.parent, trees.leg, name),
        *_cycle_faults(trees.parent, "parent", name),
        *_cycle_faults(trees.matrix_parent, "matrix_parent", name),
    ]


def width_faults(matrix_parent: Ints, width: int, name: Naming) -> list[str]:
    """A line for every member whose matrix parent has `width` children already."""
    placed = np.nonzero(matrix_parent >= 0)[0]
    placed = placed[np.argsort(matrix_parent[placed], kind="stable")]
    above = matrix_parent[placed]
    before = np.arange(len(placed)) - np.searchsorted(above, above)
    return [
        f"{name(member)}.matrix_parent: {name(parent)} already has {width} below it"
        for member, parent in zip(*(rows[before >= width].tolist() for rows in (placed, above)), strict=True)
    ]


def _cycle_faults(above: Ints, field: str, name: Naming) -> list[str]:
    """One line for every cycle in a tree that is given by who stands above whom."""
    faults = []
    seen: set[int] = set()
    for member in in_cycles(above).tolist():
        if member in seen:
            continue
        faults.append(f"{name(member)}.{field}: is part of a cycle")
        while member not in seen:
            seen.add(member)
            member = int(above[member])
    return faults


def in_cycles(above: Ints) -> Ints:
    """Members that stand above themselves: all others reach a root when the reach doubles often enough."""
    count = len(above)
    if (above < np.arange(count)).all():
        return np.zeros(0, np.int64)
    ahead = np.where(above < 0, count, above)
    ahead = np.append(ahead, count)
    for _ in range(count.bit_length() + 1):
        if (ahead == count).all():
            return np.zeros(0, np.int64)
        ahead = ahead[ahead]
    return np.unique(ahead[ahead < count])


def _leg_faults(parent: Ints, leg: NDArray[np.int8], name: Naming) -> list[str]:
    bare = np.nonzero((leg >= 0) & (parent < 0))[0].tolist()
    loose = np.nonzero((leg < 0) & (parent >= 0))[0].tolist()
    without_parent = [f"{name(member)}.leg: a leg without a parent" for member in bare]
    return without_parent + [f"{name(member)}.parent: a parent without a leg" for member in loose]


def _slot_faults(parent: Ints, leg: NDArray[np.int8], name: Naming) -> list[str]:
    """A line for every member that stands where another one already does."""
    placed = np.nonzero((parent >= 0) & (leg >= 0))[0]
    slot = parent[placed] * 2 + leg[placed]
    if not (np.bincount(slot) > 1).any():
        return []
    _, first, back = np.unique(slot, return_index=True, return_inverse=True)
    second = np.nonzero(first[back] != np.arange(len(placed)))[0]
    taken_by = placed[first[back[second]]]
    return [
        f"{name(member)}.parent: {name(other)} already stands there"
        for member, other in zip(placed[second].tolist(), taken_by.tolist(), strict=True)
    ]
