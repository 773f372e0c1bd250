"""Insert what may be there already, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portal.extensions import Base

_ROWS_AT_ONCE = 500


def insert_missing(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows`; those that break a unique constraint are there already and stay as they are."""
    make = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        session.execute(make(model).values(rows[start : start + _ROWS_AT_ONCE]).on_conflict_do_nothing())


def insert_or_skip(session: Session, model: type[Base], *, unique: tuple[str, ...], **values: Any) -> bool:
    """Insert one row; False where one with the same `unique` columns is there already.

    Without `unique`, any unique constraint counts, also one that holds for some rows only. Waits for
    a transaction that is just inserting the same row.
    """
    make = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = make(model).values(**values).on_conflict_do_nothing(index_elements=list(unique) or None)
    return session.execute(statement.returning(inspect(model).primary_key[0])).first() is not None
