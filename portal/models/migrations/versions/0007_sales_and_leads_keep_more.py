"""A sale keeps the terms it was sold by, a lead the name of the form, token or file it came by.

Customers who ordered and paid here are vouched for by that order, not by a vendor. People are found by how
their first or last name begins.
Senders of messages take turns by an index of those that wait, and so do the addresses that are told.
Questions to vendors about their statements stand with their answers.
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
OF_DELIVERIES = (
    ("ix_webhook_delivery_turn", ["endpoint_id", "next_at", "id"], WAITING),
    ("ix_webhook_delivery_lease", ["lease_until"], sa.text("lease_until IS NOT NULL")),
)
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

ASKED = """
    INSERT INTO statement_question (difference_id, text, asked_by, asked_at)
    SELECT d.id, d.note, d.settled_by, COALESCE(
           (SELECT max(a.at) FROM audit a WHERE a.thing = 'statement_difference' AND a.thing_id = d.id
               AND a.action = 'difference asked about'), s.received_at)
      FROM statement_difference d JOIN statement s ON s.id = d.statement_id
     WHERE d.choice = 'ask' AND d.note IS NOT NULL
"""
ASKED_ONLY = "UPDATE statement_difference SET note = NULL WHERE choice = 'ask'"
ASKED_BEFORE = """
    UPDATE statement_difference SET note = (
           SELECT q.text FROM statement_question q
            WHERE q.difference_id = statement_difference.id ORDER BY q.id DESC LIMIT 1)
     WHERE choice = 'ask'
"""


def upgrade() -> None:
    _questions()
    op.execute(PAID_HERE.format(before="vendor", now="order"))
    op.create_index(
        "ix_inbox_turn", "inbox", ["source", "next_at", "id"], postgresql_where=WAITING, sqlite_where=WAITING
    )
    op.drop_index("ix_webhook_delivery_due", "webhook_delivery")
    for name, columns, rows in OF_DELIVERIES:
        op.create_index(name, "webhook_delivery", columns, postgresql_where=rows, sqlite_where=rows)
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


def _questions() -> None:
    op.create_table(
        "statement_question",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("difference_id", WHOLE, nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("asked_by", WHOLE),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(500)),
        sa.Column("answered_by", WHOLE),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        *(
            sa.ForeignKeyConstraint([column], [place], name=op.f(f"fk_statement_question_{column}_{table}"))
            for column, place, table in (
                ("difference_id", "statement_difference.id", "statement_difference"),
                ("asked_by", "account_user.id", "account_user"),
                ("answered_by", "account_user.id", "account_user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_question")),
    )
    op.create_index(
        "ix_statement_question_difference", "statement_question", ["difference_id", "answered_at"]
    )
    op.execute(ASKED)
    op.execute(ASKED_ONLY)


def downgrade() -> None:
    for name in NAMES:
        op.drop_index(name, "person")
    op.execute(ASKED_BEFORE)
    op.drop_table("statement_question")
    op.execute(PAID_HERE.format(before="order", now="vendor"))
    op.drop_index("ix_inbox_turn", "inbox")
    for name, _columns, _rows in OF_DELIVERIES:
        op.drop_index(name, "webhook_delivery")
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "next_at"])
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
