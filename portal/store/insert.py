"""Insert what may be there already, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from portal.extensions import Base

Row = TypeVar("Row", bound=Base)

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


def insert_new(session: Session, draft: Row, *, unique: tuple[str, ...]) -> Row | None:
    """Insert a row like `draft`, which is in no session, and give it back with what belongs to the draft.

    None where one with the same `unique` columns is there already, as in `insert_or_skip`.
    """
    make = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    model, about = type(draft), inspect(type(draft))
    values = {name: value for name, value in vars(draft).items() if name in about.columns}
    statement = make(model).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    row = session.scalars(statement.returning(model)).one_or_none()
    for name in about.relationships.keys() & vars(draft).keys() if row is not None else ():
        set_committed_value(row, name, vars(draft)[name])
    return row
