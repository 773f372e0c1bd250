"""The members of a case file: the network, and what each of them carries in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.engine.arithmetic import MAX, Ints
from portal.engine.events import State
from portal.engine.fields import Fields
from portal.engine.network import NOBODY, STATUSES, Network, cycle_faults, tree_faults
from portal.engine.rows import Rows

_SIDES: Final = {"L": 0, "R": 1}
_COLUMNS: Final = 12


class People(Rows):
    """The members, and the packs that they have in the order in which they were met."""

    def __init__(self, items: Sequence[Fields], faults: list[str]) -> None:
        super().__init__()
        self.packs: dict[str, int] = {}
        for item in items:
            self.identify(item)
        for item in items:
            self.numbers.append((*self._position(item), *self._standing(item), *_carried(item)))
            item.close()
        faults += self._tree_faults()

    def network(self) -> Network:
        """The network of members without fault."""
        sponsor, parent, leg, _, pack, status = self.columns(_COLUMNS)[:6]
        return Network(sponsor, parent, *_narrow(leg, pack, status), packs=tuple(self.packs))

    def state(self) -> State:
        """What the members carry in."""
        return State(*self.columns(_COLUMNS)[6:])

    def _tree_faults(self) -> list[str]:
        sponsor, parent, leg, matrix_parent = self.columns(_COLUMNS)[:4]
        name = self.places.__getitem__
        faults = tree_faults(sponsor, parent, leg.astype(np.int8), name)
        return faults + cycle_faults(matrix_parent, "matrix_parent", name)

    def _position(self, item: Fields) -> tuple[int, int, int, int]:
        """Sponsor, parent, leg and matrix parent; where one of parent and leg is at fault, neither counts."""
        was_sound, item.sound = item.sound, True
        parent, leg = self.find_if_named(item, "parent"), _leg(item)
        if not item.sound:
            parent, leg = NOBODY, NOBODY
        item.sound &= was_sound
        return self.find_if_named(item, "sponsor"), parent, leg, self.find_if_named(item, "matrix_parent")

    def _standing(self, item: Fields) -> tuple[int, int]:
        pack = self.packs.setdefault(item.text("pack"), len(self.packs))
        return pack, STATUSES.index(item.choice("status", STATUSES, "active"))


def _narrow(
    leg: Ints, pack: Ints, status: Ints
) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int8]]:
    return leg.astype(np.int8), pack.astype(np.int32), status.astype(np.int8)


def _leg(item: Fields) -> int:
    side = item.text_or_nothing("leg")
    if side is not None and side not in _SIDES:
        item.fault("leg", "must be L, R or null")
    return NOBODY if side is None else _SIDES.get(side, NOBODY)


def _carried(item: Fields) -> tuple[int, ...]:
    carry = item.part("carry", None)
    legs = [carry.amount(side, 0, least=-MAX, most=MAX) if carry else 0 for side in ("left", "right")]
    if carry:
        carry.close()
    return (
        item.amount("pv_prior", 0, least=-MAX, most=MAX),
        *legs,
        item.amount("matched_to_date", 0, most=MAX),
        item.amount("paid_to_date", 0, most=MAX),
        item.count("inactive_cycles", 0),
    )
