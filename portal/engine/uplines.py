"""Who receives on which level above a member, along the sponsor line or the matrix line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from portal.engine.arithmetic import Flags, Ints, Whole, narrowest
from portal.engine.blocks import places
from portal.engine.network import NOBODY

Level = tuple[Ints, Whole]
"""The places of those who have a receiver on a level, and the receivers."""


class Upline:
    """One line upward, for all members at once: who stands above whom, and who may receive.

    With `compress` an inactive member is passed over and uses up no level; without it uses up its level
    and gets nothing. Where a line has ended there is nobody, and nobody stands above nobody.
    """

    def __init__(self, above: Ints, active: Flags, *, compress: bool) -> None:
        self._above = np.full(len(above) + 1, NOBODY, narrowest(NOBODY, len(above)))
        self._above[:-1] = above
        self._receives = None if compress else np.append(active, False)
        if compress:
            _pass_over_inactive(self._above, active)

    def levels(self, start: Ints) -> Iterator[Level]:
        """Go up from each of `start`, level by level, while anybody is left.

        Gives for every level the places in `start` that have a receiver on it, and the receivers.
        """
        place, at = np.arange(len(start)), self._above[start]
        while True:
            if len(at) and at.min() < 0:
                going = np.nonzero(at >= 0)[0]
                place, at = place[going], at[going]
            if not len(at):
                return
            if self._receives is None:
                yield place, at
            else:
                receiving = np.nonzero(self._receives[at])[0]
                yield place[receiving], at[receiving]
            at = self._above[at]


class Walk:
    """The levels above some members, gone up once and then known to all who ask one after the other."""

    def __init__(self, line: Upline, start: Ints) -> None:
        self._met: list[Level] = []
        self._ahead = line.levels(start)

    def levels(self) -> Iterator[Level]:
        """Level by level, from the nearest."""
        yield from self._met
        for level in self._ahead:
            self._met.append(level)
            yield level


def _pass_over_inactive(above: Whole, active: Flags) -> None:
    """Put the nearest active one above all; runs of inactive ones are jumped, twice as far each round."""
    stops = np.append(active, True)
    jumping = places(len(above), lambda block: ~stops[above[block]])
    while len(jumping):
        above[jumping] = above[above[jumping]]
        jumping = jumping[~stops[above[jumping]]]
