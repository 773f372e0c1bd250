"""Write many rows from columns: COPY BINARY on PostgreSQL, the driver's `executemany` on SQLite.

A column is an array with a value for each row, one value for all of them, or what makes the values of some
rows when these are written: then the database works on the rows before meanwhile. Whole numbers are int64,
text is an array of `S`, bytes of one length are `V`, days are `datetime64[D]`. In a column that may be NULL,
-1 stands for it. What guards a table runs for each statement, so once for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from portal.extensions import Base
from portal.store.columns import NONE, read_columns

Column = NDArray[Any]
Made = Callable[[slice], Column]
Value = Column | Made | int | str | date
Told = Callable[[int], None]

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = np.datetime64("2000-01-01", "D")
_ROWS_AT_ONCE: Final = 16_384
_NULL: Final = -1
_MANY: Final = 10_000
_FOR_LONG_WORK: Final = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "work_mem": "'256MB'",
    "jit": "off",
}
_LONGEST: Final = 2_048  # more than any field that differs in length from row to row


def copy_rows(
    session: Session, model: type[Base], columns: Mapping[str, Value], *, count: int, told: Told | None = None
) -> None:
    """Insert `count` rows into the table of `model`, given by its columns in the database.

    `told` hears now and then how many rows were handed over.
    """
    if not count:
        return
    table: Any = model.__table__
    given = {name: _made(value, count) for name, value in columns.items()}
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, table, given, count, told or _nobody)
    else:
        _insert(session, table, given, count)


def _nobody(_done: int) -> None:
    """Nobody wants to hear it."""


def new_ids(session: Session, model: type[Base], count: int) -> NDArray[np.int64]:
    """`count` ids for rows of `model` that no other transaction gets."""
    table: Any = model.__table__
    if session.get_bind().dialect.name == "postgresql":
        drawn = select(func.nextval(f"{table.name}_id_seq")).select_from(func.generate_series(1, count))
        return read_columns(session, drawn, width=1)[0]
    last = session.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
    return np.arange(last + 1, last + 1 + count, dtype=np.int64)


def allow_long_work(session: Session) -> None:
    """Lift limits on time and memory for this transaction: a large cycle takes more than a request may."""
    if session.get_bind().dialect.name == "postgresql":
        for setting, value in _FOR_LONG_WORK.items():
            session.execute(text(f"SET LOCAL {setting} = {value}"))


def _made(value: Value, count: int) -> Made:
    """What gives the values of some rows."""
    if callable(value):
        return value
    if isinstance(value, np.ndarray):
        assert len(value) == count, "each row needs a value"
        return value.__getitem__
    return np.broadcast_to(_one(value), count).__getitem__


def _one(value: int | str | date) -> Column:
    if isinstance(value, str):
        return np.array(value.encode())
    if isinstance(value, datetime):
        return np.array(value.astimezone(UTC).replace(tzinfo=None), "datetime64[us]")
    return np.array(value, "datetime64[D]" if isinstance(value, date) else np.int64)


# --- PostgreSQL


def _copy(session: Session, table: Table, given: dict[str, Made], count: int, told: Told) -> None:
    connection: Any = session.connection().connection
    with connection.cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in given)
        many = count >= _MANY
        if many:
            # Statistics know nothing of so many new rows: checks that go from row to row would take minutes.
            cursor.execute("SET LOCAL enable_nestloop = off")
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_HEAD)
            nullable = [bool(table.columns[name].nullable) for name in given]
            for start in range(0, count, _ROWS_AT_ONCE):
                some = slice(start, min(start + _ROWS_AT_ONCE, count))
                columns = [_on_the_wire(made(some)) for made in given.values()]
                for piece in _records(columns, nullable):
                    copy.write(piece)
                told(some.stop)
            copy.write(_END)
        if many:
            cursor.execute("SET LOCAL enable_nestloop = on")


def _records(columns: list[Column], nullable: list[bool]) -> Iterator[bytes]:
    """Rows whose fields are equally long become one array of records; so they need no loop."""
    lengths = [_lengths(column, may_be) for column, may_be in zip(columns, nullable, strict=True)]
    for rows, shape in _alike(lengths, len(columns[0])):
        record = np.empty(len(rows), _record_type(columns, shape))
        record["fields"] = len(columns)
        for number, (column, length) in enumerate(zip(columns, shape, strict=True)):
            record[f"length{number}"] = length
            if length > 0:
                record[f"value{number}"] = column[rows]
        yield record.tobytes()


def _on_the_wire(column: Column) -> Column:
    """Values as PostgreSQL counts them: days and microseconds since 2000."""
    if column.dtype == "datetime64[D]":
        return (column - _FIRST_DAY).astype(np.int32)
    if column.dtype.kind == "M":
        return (column - np.datetime64(_EPOCH.replace(tzinfo=None), "us")).astype(np.int64)
    return column


def _lengths(column: Column, nullable: bool) -> Column | int:
    """How long the value of each row is, in bytes; one number where they are all alike."""
    if column.dtype.kind == "S":
        one_for_all = column.strides == (0,)
        lengths: Column = np.strings.str_len(column[:1] if one_for_all else column)
        return int(lengths[0]) if (lengths == lengths[0]).all() else lengths
    if nullable and column.dtype == np.int64 and (empty := column == NONE).any():
        return np.where(empty, _NULL, column.itemsize)
    return column.itemsize


def _alike(lengths: list[Column | int], count: int) -> Iterator[tuple[Column, list[int]]]:
    """Rows grouped by the lengths of their fields."""
    varying = {at: length for at, length in enumerate(lengths) if isinstance(length, np.ndarray)}
    shape = [0 if isinstance(length, np.ndarray) else length for length in lengths]
    if not varying:
        yield np.arange(count), shape
        return
    code = np.zeros(count, np.int64)
    for length in varying.values():
        code = code * _LONGEST + (length + 1)
    shapes, group = np.unique(code, return_inverse=True)
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(len(shapes) + 1))
    for number in range(len(shapes)):
        rows = order[edges[number] : edges[number + 1]]
        for at, length in varying.items():
            shape[at] = int(length[rows[0]])
        yield rows, shape


def _record_type(columns: list[Column], shape: list[int]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for number, (column, length) in enumerate(zip(columns, shape, strict=True)):
        fields.append((f"length{number}", ">i4"))
        if length > 0:
            kind = f"{column.dtype.kind}{length}"
            fields.append((f"value{number}", f">{kind}" if column.dtype.kind == "i" else kind))
    return np.dtype(fields)


# --- SQLite


def _insert(session: Session, table: Table, given: dict[str, Made], count: int) -> None:
    statement: Any = insert(table).compile(dialect=session.get_bind().dialect, column_keys=list(given))
    rows = slice(0, count)
    columns = [
        _as_python(given[name](rows), bool(table.columns[name].nullable)) for name in statement.positiontup
    ]
    connection: Any = session.connection().connection
    cursor = connection.cursor()
    try:
        cursor.executemany(str(statement), zip(*columns, strict=True))
    finally:
        cursor.close()


def _as_python(column: Column, nullable: bool) -> list[Any]:
    """Values as SQLite keeps them: instants and days as text."""
    if column.dtype.kind == "S":
        return [value.decode() for value in column.tolist()]
    if column.dtype == "datetime64[D]":
        return [value.isoformat() for value in column.tolist()]
    if column.dtype.kind == "M":
        return [f"{value:%Y-%m-%d %H:%M:%S.%f}" for value in column.tolist()]
    values: list[Any] = column.tolist()
    return [None if value == NONE else value for value in values] if nullable else values
