"""How migrations meet the database: as the owner of the tables, one transaction for all."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Connection

from portal.extensions import db
from portal.models.grants import grant_to_application
from portal.models.guards import CHECKED_FOR_EACH_STATEMENT
from portal.models.types import Instant, Sealed, Whole
from portal.store import engine_options

# PostgreSQL does not say in what order the letters of an expression stand in an index.
BY_BYTES = ("ix_person_name", "ix_person_last_name")
STAY_CONSTRAINTS = ("uq_entry_reverses_id", "uq_entry_resolves_id")


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    """Write plain column types into migrations, so that an old one never depends on today's code."""
    if kind == "type":
        if isinstance(item, Whole):
            return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
        if isinstance(item, Instant):
            return "sa.DateTime(timezone=True)"
        if isinstance(item, Sealed):
            return "sa.String()"
    return False


def include_object(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """`sale.txid` exists on PostgreSQL only and is filled by the database, `posting_guard` on SQLite only.

    Of the foreign keys, those that PostgreSQL checks for each statement are none there. What is unique in a
    table since before there were partial indexes for it stays a constraint on SQLite.
    """
    if kind == "index" and name in BY_BYTES:
        return False
    if kind in ("index", "unique_constraint") and connection.dialect.name == "sqlite":
        return name not in STAY_CONSTRAINTS
    if kind == "foreign_key_constraint" and connection.dialect.name == "postgresql":
        return thing.column_keys[0] not in CHECKED_FOR_EACH_STATEMENT.get(thing.table.name, ())
    return not (kind == "column" and name == "txid") and not (kind == "table" and name == "posting_guard")


def check_references(ctx: Any, **_: Any) -> None:
    """Refuse a step that leaves rows which point to nothing, since SQLite does not look meanwhile."""
    if ctx.connection.dialect.name == "sqlite":
        lost = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if lost:
            raise RuntimeError(f"{len(lost)} rows would point to nothing, the first in {lost[0][0]}")


def migrate(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # A table is changed there by writing it anew, and cannot be dropped while others point to it.
        driver = connection.connection.driver_connection
        assert driver is not None, "it was connected just now"
        driver.execute("PRAGMA foreign_keys = 0")
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_item=render_item,
        include_object=include_object,
        compare_type=True,
        transaction_per_migration=False,
        on_version_apply=check_references,
    )
    with context.begin_transaction():
        context.run_migrations()


settings = current_app.config["SETTINGS"]
engine = create_engine(settings.database_owner_url, **engine_options(settings.database_owner_url))
with engine.connect() as connection:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
    migrate(connection)
    application_role = make_url(settings.database_url).username
    if connection.dialect.name == "postgresql" and settings.database_owner_url != settings.database_url:
        grant_to_application(connection, str(application_role))
        connection.commit()
engine.dispose()
