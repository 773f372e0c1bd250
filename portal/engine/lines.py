"""Lines as columns: who gets how much, for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from portal.engine.arithmetic import Flags, Ints, Whole, narrowed, read_only
from portal.engine.events import NONE


@dataclass(frozen=True)
class Lines:
    """Lines as columns, in no particular order; each column is as wide as its numbers ask for.

    `member`: who gets it. `kind`: index into KINDS. `amount` in cents. `base`: what the rate was applied
    to, in hundredths. `source`: the event, or the member matched for `matching`, or -1. `level`: as the
    rules count it.
    """

    member: Whole
    kind: Whole
    amount: Whole
    base: Whole
    source: Whole
    level: Whole

    def __len__(self) -> int:
        return len(self.member)

    @property
    def only_kind(self) -> int | None:
        """The kind of all lines if they were made as lines of one kind, and there are any."""
        return int(self.kind[0]) if len(self) and self.kind.strides == (0,) else None

    def is_all(self, *kinds: int) -> bool:
        """Whether they were made as lines of one kind, and that is among these."""
        return self.only_kind in kinds

    def where(self, chosen: Flags | Ints | slice) -> Lines:
        """The chosen lines."""
        return Lines(*[column[chosen] for column in self.columns()])

    def columns(self) -> list[Any]:
        """The columns, in the order of their names."""
        return [getattr(self, field.name) for field in fields(self)]

    def on_level(self, level: int) -> Lines:
        """The same lines on another level than 0."""
        return replace(self, level=_alike(level, len(self)))

    @staticmethod
    def of(kind: int, member: Whole, amount: Ints, *, base: Ints, source: Ints | None = None) -> Lines:
        """Lines of one kind on level 0, without those whose amount is 0."""
        if not amount.all():
            paid = np.nonzero(amount)[0]
            member, amount, base = member[paid], amount[paid], base[paid]
            source = None if source is None else source[paid]
        count = len(amount)
        sources = _alike(NONE, count) if source is None else narrowed(source)
        columns = narrowed(member), _alike(kind, count), narrowed(amount), narrowed(base)
        return Lines(*columns, sources, _alike(0, count))

    @staticmethod
    def none() -> Lines:
        """No lines."""
        nothing = np.zeros(0, np.int64)
        return Lines.of(0, nothing, nothing, base=nothing)

    @staticmethod
    def join(parts: Sequence[Lines]) -> Lines:
        """All lines of several parts as one table, read-only."""
        columns = zip(*[part.columns() for part in (Lines.none(), *parts)], strict=True)
        return Lines(*[read_only(np.concatenate(column)) for column in columns])


def _alike(number: int, times: int) -> Whole:
    """The same small number many times, without keeping it many times."""
    return np.broadcast_to(narrowed(np.array([number])), times)


class Sheaf:
    """Lines of one kind and level that come in bundles, bound into columns that were made long enough."""

    def __init__(self, kind: int, level: int, *, most: int) -> None:
        self._kind, self._level, self._count = kind, level, 0
        self._columns: Whole = np.empty((4, most), np.int32)

    def add(self, lines: Lines) -> None:
        """Put lines behind those that are there."""
        bundle = (lines.member, lines.amount, lines.base, lines.source)
        start, self._count = self._count, self._count + len(lines)
        if max(added.itemsize for added in bundle) > self._columns.itemsize:
            self._columns = self._columns.astype(np.int64)
        for column, added in zip(self._columns, bundle, strict=True):
            column[start : self._count] = added

    def bound(self) -> Lines:
        """All of them."""
        member, amount, base, source = self._columns[:, : self._count]
        kind, level = _alike(self._kind, self._count), _alike(self._level, self._count)
        return Lines(member, kind, amount, base, source, level)
