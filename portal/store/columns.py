"""Read many rows of whole numbers into columns, without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Executable
from sqlalchemy.orm import Session

NONE = -1
_ROWS_AT_ONCE = 50_000


def read_columns(session: Session, statement: Executable, *, width: int) -> list[NDArray[np.int64]]:
    """Run a query whose `width` columns are whole numbers; one array a column, NULL as -1.

    The rows come from the driver's own cursor: what SQLAlchemy would make of each costs more than the query.
    """
    result = session.connection().execute(statement)
    cursor: Any = result.cursor
    parts = []
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        parts.append(_table(rows, width))
    result.close()
    return _columns(np.concatenate(parts) if parts else np.zeros((0, width), np.int64))


def columns_of(rows: Sequence[Any], *, width: int) -> list[NDArray[np.int64]]:
    """Rows of whole numbers as arrays, one for each of the `width` columns, NULL as -1."""
    return _columns(_table(rows, width))


def _columns(table: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [np.ascontiguousarray(column) for column in table.T]


def _table(rows: Sequence[Any], width: int) -> NDArray[np.int64]:
    count = len(rows) * width
    try:
        flat = np.fromiter(chain.from_iterable(rows), np.int64, count=count)
    except TypeError:
        known = (NONE if value is None else value for value in chain.from_iterable(rows))
        flat = np.fromiter(known, np.int64, count=count)
    return flat.reshape(-1, width)
