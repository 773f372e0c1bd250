"""Work on many rows in blocks that fit into the processor's cache.

What is needed only in between is then never written out to memory, and no fresh pages are asked for it:
on large networks these cost more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from portal.engine.arithmetic import Flags, Ints

BLOCK = 1 << 16


def blocks(size: int, *, each: int = 1) -> Iterator[slice]:
    """All of `size` rows, block by block; at least one block. Rows that make more of `each` come in fewer."""
    length = max(1, BLOCK // each)
    for start in range(0, max(1, size), length):
        yield slice(start, min(size, start + length))


def by_blocks(size: int, columns_of: Callable[[slice], Sequence[Ints]]) -> Sequence[Ints]:
    """Columns of `size` rows, each row computed by itself.

    They lie in one piece of memory, of which only what is not 0 is ever touched.
    """
    if size <= BLOCK:
        return columns_of(slice(0, size))
    whole: list[Ints] = []
    for block in blocks(size):
        some = columns_of(block)
        whole = whole or list(np.zeros((len(some), size), np.int64))
        for column, values in zip(whole, some, strict=True):
            if values.any():
                column[block] = values
    return whole


def places(size: int, marks_of: Callable[[slice], Flags]) -> Ints:
    """Which of `size` rows are marked, in order."""
    return np.concatenate([block.start + np.nonzero(marks_of(block))[0] for block in blocks(size)])
