"""What the application's role may do on PostgreSQL: everything but rewriting the books."""

from __future__ import annotations

from sqlalchemy import Connection, text

APPEND_ONLY = ("entry", "posting", "sale", "audit")
_ACCOUNT_COLUMNS = "owner_type, owner_id, purpose, currency, normal, tracked, floor"


def grant_to_application(connection: Connection, role: str) -> None:
    """Give `role` reading and writing, and on the append-only tables reading and adding alone."""
    quoted = connection.dialect.identifier_preparer.quote(role)
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(APPEND_ONLY)} FROM {quoted}",
        f"REVOKE INSERT, UPDATE, DELETE ON account FROM {quoted}",
        f"GRANT INSERT ({_ACCOUNT_COLUMNS}), UPDATE (closed_at) ON account TO {quoted}",
    ):
        connection.execute(text(statement))
