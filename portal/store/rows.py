"""Write many rows of any columns at once, text that may be missing and JSON too.

Columns of whole numbers alone go faster through `portal.store.copying`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Table, create_engine, insert, inspect, text
from sqlalchemy.orm import Session

from portal.extensions import Base

_ROWS_AT_ONCE = 50_000


def add_rows(session: Session, model: type[Base], columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows that are given as columns of one length, named by the model's attributes.

    On PostgreSQL by COPY. On SQLite a row may name a later one: references are looked at by the commit.
    """
    attributes = inspect(model).column_attrs
    stored = [attributes[name].columns[0] for name in columns]
    names = [column.name for column in stored]
    if _on_postgresql(session):
        written = [
            map(json.dumps, values) if isinstance(column.type, JSON) else values
            for column, values in zip(stored, columns.values(), strict=True)
        ]
        _copy(session, _table(model).name, names, zip(*written, strict=True))
        return
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    rows = zip(*columns.values(), strict=True)
    table = _table(model)
    while some := [dict(zip(names, row, strict=True)) for row in islice(rows, _ROWS_AT_ONCE)]:
        session.connection().execute(insert(table), some)


def learn_sizes(owner_url: str) -> None:
    """Let PostgreSQL see now how large its tables became, so that it plans the next questions well."""
    if owner_url.startswith("sqlite"):
        return
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _copy(session: Session, table: str, names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    session.flush()
    driver = session.connection().connection.driver_connection
    assert driver is not None, "an open session has its connection"
    quoted = ", ".join(f'"{name}"' for name in names)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({quoted}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def _table(model: type[Base]) -> Table:
    table = inspect(model).local_table
    assert isinstance(table, Table), "a model has a table of its own"
    return table


def _on_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
