"""A sale keeps the terms it was sold by, a lead the name of the form, token or file it came by.

Customers who ordered and paid here are vouched for by that order, not by a vendor. People are found by how
their first or last name begins.
Senders of messages take turns by an index of those that wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state IN ('new', 'retry')")
COLUMN = "terms_version_id"
KEY = "fk_sale_terms_version_id_terms_version"
TERMS_OF_CONTRACTS = """
    UPDATE sale SET terms_version_id = (SELECT terms_version_id FROM contract WHERE contract.id = sale.contract_id)
"""
LAST_NAME = "substr(name, length(rtrim(name, replace(name, ' ', ''))) + 1)"
NAMES = {"ix_person_name": "lower(name)", "ix_person_last_name": f"lower({LAST_NAME})"}
PAID_HERE = """
    UPDATE customer SET verified_by = '{now}'
     WHERE verified_by = '{before}' AND ref IN (SELECT public_id FROM marketplace_order)
"""


def upgrade() -> None:
    op.execute(PAID_HERE.format(before="vendor", now="order"))
    op.create_index(
        "ix_inbox_turn", "inbox", ["source", "next_at", "id"], postgresql_where=WAITING, sqlite_where=WAITING
    )
    op.add_column("lead", sa.Column("source_name", sa.String(100)))
    op.add_column("sale", sa.Column(COLUMN, WHOLE))
    with without_guard():
        op.execute(TERMS_OF_CONTRACTS)
        with op.batch_alter_table("sale") as batch:
            batch.alter_column(COLUMN, existing_type=WHOLE, nullable=False)
            batch.create_foreign_key(op.f(KEY), "terms_version", [COLUMN], ["id"])
    by_bytes = ' COLLATE "C"' if op.get_bind().dialect.name == "postgresql" else ""
    for name, key in NAMES.items():
        op.create_index(name, "person", [sa.text(f"{key}{by_bytes}"), "id"])


def downgrade() -> None:
    for name in NAMES:
        op.drop_index(name, "person")
    op.execute(PAID_HERE.format(before="order", now="vendor"))
    op.drop_index("ix_inbox_turn", "inbox")
    with without_guard(), op.batch_alter_table("sale") as batch:
        batch.drop_constraint(op.f(KEY), type_="foreignkey")
        batch.drop_column(COLUMN)
    with op.batch_alter_table("lead") as batch:
        batch.drop_column("source_name")


@contextmanager
def without_guard() -> Iterator[None]:
    """Sales can be changed within this; on SQLite a table that is written anew loses its triggers."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE sale DISABLE TRIGGER sale_stays")
        yield
        op.execute("ALTER TABLE sale ENABLE TRIGGER sale_stays")
        return
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER sale_{verb}")
    yield
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER sale_{verb} BEFORE {verb.upper()} ON sale"
            " BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )
