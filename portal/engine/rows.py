"""Rows of a case file: who is who, and the numbers of all rows as columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from portal.engine.arithmetic import Ints
from portal.engine.fields import Fields, quoted

UNKNOWN = -1


@dataclass
class Rows:
    """Rows that are being read: their places, their ids, and the numbers of each."""

    places: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    numbers: list[tuple[int, ...]] = field(default_factory=list)

    def identify(self, item: Fields, *others: Rows) -> None:
        """Enter a row under its id, which nobody else may have."""
        name = item.text("id")
        if item.sound and any(name in rows.ids for rows in (self, *others)):
            item.fault("id", f"{quoted(name)} is there more than once")
        if item.sound:
            self.ids[name] = len(self.places)
        self.places.append(item.place)

    def find(self, item: Fields, name: str) -> int:
        """The row that a required field names by its id; notes a fault if there is none."""
        wanted = item.text(name)
        return self._known(item, name, wanted) if isinstance(item.value.get(name), str) else UNKNOWN

    def find_if_named(self, item: Fields, name: str) -> int:
        """The row that a field names by its id, -1 for null; notes a fault if there is no such row."""
        wanted = item.text_or_nothing(name)
        return UNKNOWN if wanted is None else self._known(item, name, wanted)

    def _known(self, item: Fields, name: str, wanted: str) -> int:
        if wanted not in self.ids:
            item.fault(name, f"{quoted(wanted)} is unknown")
        return self.ids.get(wanted, UNKNOWN)

    def columns(self, width: int) -> list[Ints]:
        """The numbers of all rows, by column."""
        return list(np.array(self.numbers, np.int64).reshape(-1, width).T)
