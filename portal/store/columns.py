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


def read_columns(session: Session, statement: Executable, *, width: int) -> list[NDArray[np.int64]]:
    """Run a query whose `width` columns are whole numbers; one array a column, NULL as -1."""
    return columns_of(session.connection().execute(statement).fetchall(), width=width)


def columns_of(rows: Sequence[Any], *, width: int) -> list[NDArray[np.int64]]:
    """Rows of whole numbers as arrays, one for each of the `width` columns, NULL as -1."""
    flat = (NONE if value is None else value for value in chain.from_iterable(rows))
    table = np.fromiter(flat, np.int64, count=len(rows) * width).reshape(-1, width)
    return [np.ascontiguousarray(table[:, column]) for column in range(width)]
