"""Read many rows of whole numbers into columns, without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, SelectBase, cast, func, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

NONE = -1
_ROWS_AT_ONCE = 50_000
_NOTHING: Any = literal_column("CAST('' AS bytea)")


def read_columns(session: Session, statement: SelectBase, *, width: int) -> list[NDArray[np.int64]]:
    """Run a query whose `width` columns are whole numbers; one array a column, NULL as -1.

    PostgreSQL hands over each column as the bytes of its numbers; from SQLite the rows come by the driver's
    own cursor: what SQLAlchemy would make of each costs more than the query.
    """
    if session.get_bind().dialect.name == "postgresql":
        return _packed(session, statement, width)
    query: Any = statement
    result = session.connection().execute(query)
    cursor: Any = result.cursor
    parts = []
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        parts.append(_table(rows, width))
    result.close()
    return _columns(np.concatenate(parts) if parts else np.zeros((0, width), np.int64))


def _packed(session: Session, statement: SelectBase, width: int) -> list[NDArray[np.int64]]:
    """An aggregate takes the rows in the order of its sorted subquery, so a column is one value of bytes.

    Each column comes as a row of its own, because a row holds at most a gigabyte.
    """
    rows = statement.subquery()
    names = [f"column{number}" for number in range(width)]
    packed = [
        func.string_agg(func.int8send(func.coalesce(cast(column, BigInteger), NONE)), _NOTHING).label(name)
        for name, column in zip(names, rows.c, strict=True)
    ]
    whole = select(*packed).cte("whole").prefix_with("MATERIALIZED")
    each = (select(literal(at), whole.c[name]) for at, name in enumerate(names))
    result = session.connection().execute(union_all(*each))
    cursor: Any = result.cursor
    found = {at: np.frombuffer(content or b"", ">i8") for at, content in cursor.fetchall()}
    result.close()
    return [found[at].astype(np.int64) for at in range(width)]


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
