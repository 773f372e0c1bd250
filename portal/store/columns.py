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
    rows: Sequence[Any] = session.connection().execute(statement).fetchall()
    flat = (NONE if value is None else value for value in chain.from_iterable(rows))
    table = np.fromiter(flat, np.int64, count=len(rows) * width).reshape(-1, width)
    return [np.ascontiguousarray(table[:, column]) for column in range(width)]
