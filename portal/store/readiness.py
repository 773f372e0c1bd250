"""Whether a database may be worked with: asked by every process before it starts."""

from __future__ import annotations

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DatabaseError

from portal.config import ROOT, Settings
from portal.models.guards import missing_guards
from portal.store.engine import PRAGMAS, engine_options

_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def database_faults(settings: Settings) -> list[str]:
    """What speaks against a start, a line each: not there, another schema, no guards, unsafe settings."""
    options = engine_options(settings.database_url)["connect_args"]
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args=options)
    try:
        with engine.connect() as connection:
            return _faults(connection, settings)
    except DatabaseError as refusal:
        return [f"The database cannot be used: {str(refusal.orig).splitlines()[0]}"]


def newest_version() -> str:
    """The version that the migrations of this code lead to, by the numbers of their files."""
    files = (ROOT / "portal/models/migrations/versions").glob("*.py")
    return max(file.name.partition("_")[0] for file in files)


def _faults(connection: Connection, settings: Settings) -> list[str]:
    version = _version(connection)
    if version != newest_version():
        there = f"at version {version}" if version else "empty"
        return [f"The database is {there}; this code needs {newest_version()}: flask --app wsgi db upgrade"]
    faults = [f"The database lacks the guard {name}." for name in missing_guards(connection)]
    if connection.dialect.name == "sqlite":
        return faults + _sqlite_faults(connection)
    return faults + (_postgresql_faults(connection) if settings.production else [])


def _version(connection: Connection) -> str:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _sqlite_faults(connection: Connection) -> list[str]:
    found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    return [
        f"SQLite runs with {name} = {found[name]} instead of {wanted}."
        for name, wanted in PRAGMAS.items()
        if found[name] != wanted
    ]


def _postgresql_faults(connection: Connection) -> list[str]:
    faults = [
        f"PostgreSQL runs with {name} = off: a power cut could lose booked money."
        for name in _DURABLE
        if connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar() == "off"
    ]
    owns = "SELECT 1 FROM pg_tables WHERE tablename = 'entry' AND tableowner = current_user"
    if connection.execute(text(owns)).scalar():
        faults.append("The role in DATABASE_URL owns the books; it must be one that cannot change them.")
    return faults
