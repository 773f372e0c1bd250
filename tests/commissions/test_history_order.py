"""What a close is computed from does not depend on the order in which the database gives its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from portal.commissions.earlier import in_order

small = st.integers(min_value=0, max_value=3)


@given(st.lists(st.tuples(small, small, small, small, small)), st.randoms())
def test_lines_come_in_one_order_however_they_were_read(
    rows: Sequence[tuple[int, ...]], chance: np.random.Generator
) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)

    first, second = (in_order(columns(table)) for table in (list(rows), shuffled))

    assert [column.tolist() for column in first] == [column.tolist() for column in second]
    assert sorted(zip(*(column.tolist() for column in first), strict=True)) == sorted(rows)


def columns(rows: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.array([row[at] for row in rows], np.int64) for at in range(5)]
