"""The members as arrays: who sponsored whom, who is placed where, with which pack and status.

Members are numbered 0 to n - 1 by the caller, who keeps the names. `-1` stands for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from portal.engine.arithmetic import Flags, Ints, frozen
from portal.engine.order import Order, Seats, in_order
from portal.engine.refusal import refuse_any
from portal.engine.trees import tree_faults

LEFT: Final = 0
RIGHT: Final = 1
NOBODY: Final = -1

STATUSES: Final = ("active", "suspended", "terminated")
ACTIVE: Final = STATUSES.index("active")


@dataclass(frozen=True)
class Network:
    """Who stands where; every column has one whole number per member.

    `sponsor`, `parent`, `matrix_parent`: member or -1. `leg`: 0 left, 1 right, -1 without a parent. `pack`:
    index into `packs`. `status`: index into STATUSES. A member that is not placed is a root, and in nobody's
    leg. Without `matrix_parent` everybody is a root of the matrix.

    Raises Refused for cycles, two members in one slot, a leg without a parent and indices that do not exist.
    """

    sponsor: Ints
    parent: Ints
    leg: NDArray[np.int8]
    pack: NDArray[np.int32]
    status: NDArray[np.int8]
    packs: tuple[str, ...] = ()
    matrix_parent: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        kinds: dict[str, Any] = {
            "sponsor": np.int64,
            "parent": np.int64,
            "leg": np.int8,
            "pack": np.int32,
            "status": np.int8,
            "matrix_parent": np.int64,
        }
        if not len(self.matrix_parent):
            object.__setattr__(self, "matrix_parent", np.full(len(self), NOBODY))
        for name, kind in kinds.items():
            values: ArrayLike = getattr(self, name)
            object.__setattr__(self, name, frozen(values, kind))
        object.__setattr__(self, "packs", tuple(self.packs))
        refuse_any(self._misfits())
        refuse_any(tree_faults(self, lambda member: f"member {member}"))

    def _misfits(self) -> list[str]:
        count = len(self)
        columns = {"sponsor": count, "parent": count, "leg": 2, "matrix_parent": count}
        columns |= {"pack": len(self.packs), "status": len(STATUSES)}
        least = {"pack": 0, "status": 0}
        faults = []
        for name, limit in columns.items():
            values = getattr(self, name)
            if len(values) != count:
                faults.append(f"{name}: {len(values)} values for {count} members")
            elif count and (values.min() < least.get(name, NOBODY) or values.max() >= limit):
                faults.append(f"{name}: points outside 0 to {limit - 1}")
        return faults

    def __len__(self) -> int:
        return len(self.sponsor)

    @cached_property
    def order(self) -> Order:
        """The in-order numbering of the placement forest; computed once, when first asked for."""
        return in_order(self.parent, self.leg)

    @cached_property
    def by_seat(self) -> Seats:
        """The numbering the other way round; computed once, when first asked for."""
        return Seats.of(self.order)

    @property
    def seat(self) -> Ints:
        """Each member's place in the in-order numbering."""
        return self.order.seat

    @property
    def lo(self) -> Ints:
        """The seat just before each member's subtree."""
        return self.order.lo

    @property
    def hi(self) -> Ints:
        """The seat just behind each member's subtree."""
        return self.order.hi

    @property
    def people_left(self) -> Ints:
        """How many members stand in each member's left leg."""
        return self.seat - self.lo - 1

    @property
    def people_right(self) -> Ints:
        """How many members stand in each member's right leg."""
        return self.hi - self.seat - 1

    def is_in_left(self, member: Ints, above: Ints) -> Flags:
        """Whether each member stands in the left leg of the one above."""
        seat = self.seat[member]
        return (seat > self.lo[above]) & (seat < self.seat[above])

    def is_in_right(self, member: Ints, above: Ints) -> Flags:
        """Whether each member stands in the right leg of the one above."""
        seat = self.seat[member]
        return (seat > self.seat[above]) & (seat < self.hi[above])

    def is_below(self, member: Ints, above: Ints) -> Flags:
        """Whether each member stands in either leg of the one above; nobody is below itself."""
        return self.is_in_left(member, above) | self.is_in_right(member, above)
