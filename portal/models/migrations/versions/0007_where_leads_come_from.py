"""Leads know by name which form, token or file they came by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("lead", sa.Column("source_name", sa.String(100)))


def downgrade() -> None:
    with op.batch_alter_table("lead") as batch:
        batch.drop_column("source_name")
