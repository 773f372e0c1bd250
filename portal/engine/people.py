"""The members of a case file: the network, and what each of them carries in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from portal.engine.arithmetic import MAX
from portal.engine.events import State
from portal.engine.fields import Fields
from portal.engine.network import NOBODY, STATUSES, Network
from portal.engine.rows import Rows
from portal.engine.trees import tree_faults, width_faults

_SIDES: Final = {"L": 0, "R": 1}
_COLUMNS: Final = 12


class People(Rows):
    """The members, and the packs that they have in the order in which they were met."""

    def __init__(self, items: Sequence[Fields], faults: list[str], *, width: int | None) -> None:
        super().__init__()
        self.packs: dict[str, int] = {}
        for item in items:
            self.identify(item)
        for item in items:
            self.numbers.append((*self._position(item), *self._standing(item), *_carried(item)))
            item.close()
        self.sponsor, self.parent, leg, self.matrix_parent = self.columns(_COLUMNS)[:4]
        self.leg = leg.astype(np.int8)
        faults += tree_faults(self, self.places.__getitem__)
        if width is not None:
            faults += width_faults(self.matrix_parent, width, self.places.__getitem__)

    def network(self) -> Network:
        """The network of members without fault."""
        pack, status = self.columns(_COLUMNS)[4:6]
        return Network(
            sponsor=self.sponsor,
            parent=self.parent,
            leg=self.leg,
            pack=pack.astype(np.int32),
            status=status.astype(np.int8),
            packs=tuple(self.packs),
            matrix_parent=self.matrix_parent,
        )

    def state(self) -> State:
        """What the members carry in."""
        return State(*self.columns(_COLUMNS)[6:])

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
