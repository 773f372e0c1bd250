"""Read many rows of whole numbers into columns, without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    Select,
    SelectBase,
    cast,
    column,
    event,
    func,
    literal_column,
    select,
    true,
    values,
)
from sqlalchemy.orm import Session

NONE = -1
_ROWS_AT_ONCE = 50_000
_BINARY = 1  # of psycopg's formats
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

    Each column comes as a row of its own, because a row holds at most a gigabyte. They are handed on from
    where the aggregate made them: kept as a table, more of them than `work_mem` would be read from disk again
    for each column.
    """
    rows = statement.subquery()
    packed = [
        func.string_agg(func.int8send(func.coalesce(cast(each, BigInteger), NONE)), _NOTHING)
        for each in rows.c
    ]
    names = [f"column{number}" for number in range(width)]
    whole = select(*(one.label(name) for one, name in zip(packed, names, strict=True))).subquery("whole")
    pairs = [(at, whole.c[name]) for at, name in enumerate(names)]
    each = values(column("at", Integer), column("content", LargeBinary), name="each").data(pairs).lateral()
    handed = whole.join(each, true())
    found = _in_binary(session.connection(), select(each.c.at, each.c.content).select_from(handed))
    return [np.frombuffer(found[at] or b"", ">i8").astype(np.int64) for at in range(width)]


def _in_binary(connection: Connection, statement: Select[int, bytes | None]) -> dict[int, bytes | None]:
    """Pairs as the driver gives them, the bytes sent as they are: as text they would be twice as long."""
    asked = "before_cursor_execute"

    def in_binary(_connection: Connection, cursor: Any, *_others: Any) -> None:
        cursor.format = _BINARY

    event.listen(connection, asked, in_binary)
    try:
        result = connection.execute(statement)
    finally:
        event.remove(connection, asked, in_binary)
    cursor: Any = result.cursor
    found = dict(cursor.fetchall())
    result.close()
    return found


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
