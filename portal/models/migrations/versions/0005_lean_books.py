"""Only the indexes of the books that a query uses: each costs a close a write for every entry or hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAMED_ONCE = ("reverses_id", "resolves_id")
HELD = sa.text("released_at IS NULL")


def upgrade() -> None:
    op.drop_index(op.f("ix_release_cycle_id"), table_name="release")
    op.drop_index(op.f("ix_release_consultant_id"), table_name="release")
    op.drop_index("ix_release_due", table_name="release")
    for name, columns in {"ix_release_held": ["consultant_id"], "ix_release_due": ["due_on", "id"]}.items():
        op.create_index(name, "release", columns, postgresql_where=HELD, sqlite_where=HELD)
    if op.get_bind().dialect.name == "postgresql":
        index_what_is_named()


def downgrade() -> None:
    op.drop_index("ix_release_due", table_name="release")
    op.drop_index("ix_release_held", table_name="release")
    op.create_index("ix_release_due", "release", ["released_at", "due_on"])
    op.create_index(op.f("ix_release_consultant_id"), "release", ["consultant_id"])
    op.create_index(op.f("ix_release_cycle_id"), "release", ["cycle_id"])
    if op.get_bind().dialect.name == "postgresql":
        index_every_entry()


def index_what_is_named() -> None:
    """Hardly any entry names another one. SQLite keeps the constraint: there a table cannot lose one."""
    for column in NAMED_ONCE:
        name = f"uq_entry_{column}"
        op.drop_constraint(op.f(name), "entry", type_="unique")
        named = sa.text(f"{column} IS NOT NULL")
        op.create_index(op.f(name), "entry", [column], unique=True, postgresql_where=named)


def index_every_entry() -> None:
    for column in NAMED_ONCE:
        name = f"uq_entry_{column}"
        op.drop_index(op.f(name), table_name="entry")
        op.create_unique_constraint(op.f(name), "entry", [column])
