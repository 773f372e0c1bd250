"""How connections to the database behave, on both engines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

_writing: ContextVar[bool] = ContextVar("writing", default=False)

PRAGMAS = {
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "journal_mode": "wal",
    "synchronous": 2,
    "busy_timeout": 20_000,
}


def engine_options(database_url: str) -> dict[str, Any]:
    """Options for `create_engine`: limits on PostgreSQL, none on SQLite."""
    if database_url.startswith("sqlite"):
        return {"connect_args": {"isolation_level": None, "timeout": 20}}
    limits = "-c lock_timeout=3s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
    settings = f"{limits} -c timezone=UTC"
    return {"pool_pre_ping": True, "pool_size": 16, "max_overflow": 16, "connect_args": {"options": settings}}


@contextlib.contextmanager
def write_transactions() -> Iterator[None]:
    """Within this, SQLite takes its write lock at the start of a transaction and not at the first write."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


@event.listens_for(Engine, "connect")
def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
    if "sqlite" not in type(dbapi_connection).__module__:
        return
    cursor = dbapi_connection.cursor()
    for name, wanted in PRAGMAS.items():
        cursor.execute(f"PRAGMA {name} = {wanted}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
