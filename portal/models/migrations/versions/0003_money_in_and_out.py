"""Payees, methods, attempts, adjustments, orders, subscriptions: money in and out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
EARLIER_STATES = "'requested', 'approved', 'exported', 'paid', 'rejected', 'cancelled', 'returned'"
STATES = EARLIER_STATES + ", 'queued', 'sending', 'resolving', 'review', 'sent', 'failed'"

NEW_COLUMNS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "contract": [
        ("sold_in", sa.String(2), {}),
        ("buyer_age", WHOLE, {}),
        ("cooling_off_until", sa.Date(), {}),
    ],
    "inbox": [
        ("object_ref", sa.String(255), {}),
        ("account", sa.String(255), {}),
        ("found_by", sa.String(64), {"server_default": "webhook", "nullable": False}),
    ],
    "ledger_period": [
        ("entry_count", WHOLE, {}),
        ("posted_cents", WHOLE, {}),
        ("fingerprint", sa.String(64), {}),
    ],
    "person": [("country", sa.String(2), {"server_default": "US", "nullable": False})],
    "service": [("price_cents", WHOLE, {}), ("price_per_unit_cents", WHOLE, {})],
    "payment": [
        ("kind", sa.String(64), {"server_default": "pack", "nullable": False}),
        ("order_id", WHOLE, {}),
        ("charge_ref", sa.String(255), {}),
        ("refunded_cents", WHOLE, {"server_default": "0", "nullable": False}),
        ("state", sa.String(64), {"server_default": "paid", "nullable": False}),
    ],
    "payout_batch": [("method_id", WHOLE, {})],
    "withdrawal": [
        ("method_id", WHOLE, {}),
        ("destination_id", WHOLE, {}),
        ("fee_cents", WHOLE, {"server_default": "0", "nullable": False}),
        ("withheld_cents", WHOLE, {"server_default": "0", "nullable": False}),
        ("selection_id", WHOLE, {}),
        ("provider_ref", sa.String(255), {}),
        ("generation", WHOLE, {"server_default": "0", "nullable": False}),
        ("absent_count", WHOLE, {"server_default": "0", "nullable": False}),
        ("absent_at", INSTANT, {}),
        ("next_at", INSTANT, {}),
        ("arrival_ref", sa.String(255), {}),
        ("stuck_at", INSTANT, {}),
        ("proposal", sa.JSON(none_as_null=True), {}),
    ],
}
CHECKS = {
    "payment": {
        "kind": "kind IN ('pack', 'renewal', 'order')",
        "state": "state IN ('paid', 'partly_refunded', 'refunded', 'disputed', 'lost')",
        "for_one_thing": "(registration_id IS NULL) <> (order_id IS NULL)",
        "refunded": "refunded_cents >= 0 AND refunded_cents <= amount_cents",
    },
    "withdrawal": {
        "deductions": "fee_cents >= 0 AND withheld_cents >= 0 AND fee_cents + withheld_cents < amount_cents"
    },
}
REFERENCES = {
    "payment": {"order_id": "marketplace_order"},
    "payout_batch": {"method_id": "payout_method"},
    "withdrawal": {
        "method_id": "payout_method",
        "destination_id": "payout_destination",
        "selection_id": "payout_selection",
    },
}
INDEXES = {
    "ix_inbox_object_ref": ("inbox", ["object_ref"]),
    "ix_payment_charge_ref": ("payment", ["charge_ref"]),
    "ix_payment_order_id": ("payment", ["order_id"]),
    "ix_withdrawal_arrival_ref": ("withdrawal", ["arrival_ref"]),
    "ix_withdrawal_due": ("withdrawal", ["state", "next_at"]),
    "ix_withdrawal_method_id": ("withdrawal", ["method_id"]),
    "ix_withdrawal_selection_id": ("withdrawal", ["selection_id"]),
}
TABLES = (
    "cooling_off_rule",
    "payout_method",
    "tax_year",
    "payout_match",
    "payout_destination",
    "payout_selection",
    "payout_stop",
    "tax_form",
    "adjustment",
    "payout_file",
    "payout_result_line",
    "payout_selection_line",
    "subscription",
    "marketplace_order",
    "payout_attempt",
    "payment_reversal",
    "refund_request",
    "event_sweep",
)
PLAIN = ("contract", "inbox", "ledger_period", "person", "service")
REBUILT = ("payment", "payout_batch", "withdrawal")


def upgrade() -> None:
    create_tables()
    for table in PLAIN:
        for name, kind, more in NEW_COLUMNS[table]:
            op.add_column(table, sa.Column(name, kind, **more))
    op.execute(
        "INSERT INTO payout_file (batch_id, format, content, sha256)"
        " SELECT id, 'csv', file, file_sha256 FROM payout_batch"
    )
    for table in REBUILT:
        rebuild(table)
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def rebuild(table: str) -> None:
    """New columns with their rules: on SQLite the table is written anew, none of these carries a trigger."""
    with op.batch_alter_table(table) as batch:
        for name, kind, more in NEW_COLUMNS[table]:
            batch.add_column(sa.Column(name, kind, **more))
        for name, condition in CHECKS.get(table, {}).items():
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), condition)
        for column, target in REFERENCES[table].items():
            batch.create_foreign_key(op.f(f"fk_{table}_{column}_{target}"), target, [column], ["id"])
        if table == "payment":
            batch.alter_column("registration_id", existing_type=WHOLE, nullable=True)
        if table == "payout_batch":
            batch.drop_column("file")
            batch.drop_column("file_sha256")
        if table == "withdrawal":
            batch.drop_constraint(op.f("ck_withdrawal_state"), type_="check")
            batch.create_check_constraint(op.f("ck_withdrawal_state"), f"state IN ({STATES})")
            batch.create_unique_constraint(op.f("uq_withdrawal_provider_ref"), ["provider_ref"])


def restore(table: str) -> None:
    """The table as it was."""
    with op.batch_alter_table(table) as batch:
        for name in CHECKS.get(table, {}):
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        for column, target in REFERENCES[table].items():
            batch.drop_constraint(op.f(f"fk_{table}_{column}_{target}"), type_="foreignkey")
        if table == "payment":
            batch.alter_column("registration_id", existing_type=WHOLE, nullable=False)
        if table == "withdrawal":
            batch.drop_constraint(op.f("uq_withdrawal_provider_ref"), type_="unique")
            batch.drop_constraint(op.f("ck_withdrawal_state"), type_="check")
            batch.create_check_constraint(op.f("ck_withdrawal_state"), f"state IN ({EARLIER_STATES})")
        for name, _, _ in NEW_COLUMNS[table]:
            batch.drop_column(name)


def downgrade() -> None:
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    give_files_back()
    for table in reversed(REBUILT):
        restore(table)
    for table in PLAIN:
        for name, _, _ in NEW_COLUMNS[table]:
            op.drop_column(table, name)
    for table in reversed(TABLES):
        op.drop_table(table)


def give_files_back() -> None:
    with op.batch_alter_table("payout_batch") as batch:
        batch.add_column(sa.Column("file", sa.LargeBinary()))
        batch.add_column(sa.Column("file_sha256", sa.String(64)))
    for column, source in (("file", "content"), ("file_sha256", "sha256")):
        op.execute(
            f"UPDATE payout_batch SET {column} ="
            f" (SELECT {source} FROM payout_file WHERE batch_id = payout_batch.id AND format = 'csv')"
        )
    with op.batch_alter_table("payout_batch") as batch:
        batch.alter_column("file", existing_type=sa.LargeBinary(), nullable=False)
        batch.alter_column("file_sha256", existing_type=sa.String(64), nullable=False)


def create_tables() -> None:
    op.create_table(
        "cooling_off_rule",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("service_unit", sa.String(length=64), nullable=False),
        sa.Column("from_age", WHOLE, nullable=False),
        sa.Column("business_days", WHOLE, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("business_days >= 0 AND from_age >= 0", name=op.f("ck_cooling_off_rule_numbers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cooling_off_rule")),
        sa.UniqueConstraint(
            "state",
            "service_unit",
            "from_age",
            "valid_from",
            name=op.f("uq_cooling_off_rule_state_service_unit_from_age_valid_from"),
        ),
    )
    op.create_table(
        "payout_method",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("minimum_cents", WHOLE, nullable=False),
        sa.Column("maximum_cents", WHOLE, nullable=False),
        sa.Column("daily_limit_cents", WHOLE, nullable=False),
        sa.Column("run_limit_cents", WHOLE, nullable=False),
        sa.Column("automatic_limit_cents", WHOLE, nullable=False),
        sa.Column("fee_cents", WHOLE, nullable=False),
        sa.Column("fee_rate", WHOLE, nullable=False),
        sa.Column("settings", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('file', 'nacha', 'stripe', 'http')", name=op.f("ck_payout_method_kind")),
        sa.CheckConstraint(
            "fee_cents >= 0 AND fee_rate >= 0 AND fee_rate < 10000", name=op.f("ck_payout_method_fee")
        ),
        sa.CheckConstraint(
            "minimum_cents > 0 AND minimum_cents <= maximum_cents", name=op.f("ck_payout_method_limits")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_method")),
        sa.UniqueConstraint("code", name=op.f("uq_payout_method_code")),
    )
    op.create_table(
        "tax_year",
        sa.Column("year", WHOLE, autoincrement=False, nullable=False),
        sa.Column("withholding_rate", WHOLE, nullable=False),
        sa.Column("reporting_from_cents", WHOLE, nullable=False),
        sa.Column("form_needed_from_cents", WHOLE, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_tax_year")),
    )
    op.create_table(
        "payout_match",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("method_id", WHOLE, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared", WHOLE, nullable=False),
        sa.Column("sum_cents", WHOLE, nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["method_id"], ["payout_method.id"], name=op.f("fk_payout_match_method_id_payout_method")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_match")),
    )
    op.create_index(op.f("ix_payout_match_method_id"), "payout_match", ["method_id"], unique=False)
    op.create_table(
        "payout_destination",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("method_id", WHOLE, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=True),
        sa.Column("provider_account", sa.String(length=255), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("usable_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_payout_destination_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["method_id"], ["payout_method.id"], name=op.f("fk_payout_destination_method_id_payout_method")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_destination")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_destination_public_id")),
    )
    op.create_index(
        op.f("ix_payout_destination_provider_account"),
        "payout_destination",
        ["provider_account"],
        unique=False,
    )
    op.create_index(
        "uq_payout_destination_current",
        "payout_destination",
        ["consultant_id", "method_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
        sqlite_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "payout_selection",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=True),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("created_by", WHOLE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", WHOLE, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'made', 'dropped')", name=op.f("ck_payout_selection_state")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_payout_selection_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_payout_selection_cycle_id_cycle")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account_user.id"], name=op.f("fk_payout_selection_made_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_selection")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_selection_public_id")),
    )
    op.create_table(
        "payout_stop",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", WHOLE, nullable=True),
        sa.Column("lift_reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["lifted_by"], ["account_user.id"], name=op.f("fk_payout_stop_lifted_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_stop")),
    )
    op.create_index(
        "uq_payout_stop_standing",
        "payout_stop",
        ["cause"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
        sqlite_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "tax_form",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("legal_name", sa.String(), nullable=False),
        sa.Column("classification", sa.String(length=64), nullable=False),
        sa.Column("tax_number", sa.String(), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("backup_withholding", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", WHOLE, nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('valid', 'refused', 'replaced')", name=op.f("ck_tax_form_state")),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_tax_form_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["account_user.id"], name=op.f("fk_tax_form_reviewed_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_form")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tax_form_public_id")),
    )
    op.create_index(op.f("ix_tax_form_consultant_id"), "tax_form", ["consultant_id"], unique=False)
    op.create_index(
        "uq_tax_form_valid",
        "tax_form",
        ["consultant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'valid'"),
        sqlite_where=sa.text("state = 'valid'"),
    )
    op.create_table(
        "adjustment",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", WHOLE, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("entry_id", WHOLE, nullable=True),
        sa.CheckConstraint(
            "(state = 'approved') = (entry_id IS NOT NULL)", name=op.f("ck_adjustment_booked")
        ),
        sa.CheckConstraint("kind IN ('correction', 'write_off')", name=op.f("ck_adjustment_kind")),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'rejected')", name=op.f("ck_adjustment_state")),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_adjustment_amount")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_adjustment_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_adjustment_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_adjustment_cycle_id_cycle")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_adjustment_decided_by_account_user")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_adjustment_entry_id_entry")),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account_user.id"], name=op.f("fk_adjustment_proposed_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_adjustment_entry_id")),
        sa.UniqueConstraint("key", name=op.f("uq_adjustment_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_adjustment_public_id")),
    )
    op.create_index(op.f("ix_adjustment_consultant_id"), "adjustment", ["consultant_id"], unique=False)
    op.create_table(
        "payout_file",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batch.id"], name=op.f("fk_payout_file_batch_id_payout_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_file")),
        sa.UniqueConstraint("batch_id", "format", name=op.f("uq_payout_file_batch_id_format")),
    )
    op.create_table(
        "payout_result_line",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", WHOLE, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", WHOLE, nullable=True),
        sa.CheckConstraint(
            "outcome IN ('paid', 'failed', 'unread')", name=op.f("ck_payout_result_line_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batch.id"], name=op.f("fk_payout_result_line_batch_id_payout_batch")
        ),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["account_user.id"], name=op.f("fk_payout_result_line_imported_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["account_user.id"], name=op.f("fk_payout_result_line_settled_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_result_line")),
    )
    op.create_index(op.f("ix_payout_result_line_batch_id"), "payout_result_line", ["batch_id"], unique=False)
    op.create_table(
        "payout_selection_line",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("selection_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("excluded_reason", sa.String(length=500), nullable=True),
        sa.Column("excluded_by", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["consultant_id"],
            ["consultant.id"],
            name=op.f("fk_payout_selection_line_consultant_id_consultant"),
        ),
        sa.ForeignKeyConstraint(
            ["excluded_by"],
            ["account_user.id"],
            name=op.f("fk_payout_selection_line_excluded_by_account_user"),
        ),
        sa.ForeignKeyConstraint(
            ["selection_id"],
            ["payout_selection.id"],
            name=op.f("fk_payout_selection_line_selection_id_payout_selection"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_selection_line")),
        sa.UniqueConstraint(
            "selection_id", "consultant_id", name=op.f("uq_payout_selection_line_selection_id_consultant_id")
        ),
    )
    op.create_table(
        "subscription",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("registration_id", WHOLE, nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=False),
        sa.Column("customer_ref", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("current_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'past_due', 'ended')", name=op.f("ck_subscription_state")),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_subscription_registration_id_registration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_subscription_provider_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscription_public_id")),
    )
    op.create_index(
        op.f("ix_subscription_registration_id"), "subscription", ["registration_id"], unique=False
    )
    op.create_table(
        "marketplace_order",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("service_id", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("size_thousandths", WHOLE, nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("checkout_session", sa.String(length=255), nullable=True),
        sa.Column("contract_id", WHOLE, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'paid', 'expired', 'refunded', 'disputed')",
            name=op.f("ck_marketplace_order_state"),
        ),
        sa.CheckConstraint(
            "amount_cents > 0 AND size_thousandths > 0", name=op.f("ck_marketplace_order_amount")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_marketplace_order_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_marketplace_order_contract_id_contract")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_marketplace_order_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_marketplace_order_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marketplace_order")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_marketplace_order_contract_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_marketplace_order_public_id")),
    )
    op.create_index(
        op.f("ix_marketplace_order_checkout_session"), "marketplace_order", ["checkout_session"], unique=False
    )
    op.create_index(
        op.f("ix_marketplace_order_consultant_id"), "marketplace_order", ["consultant_id"], unique=False
    )
    op.create_table(
        "payout_attempt",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("withdrawal_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_ref", sa.String(length=255), nullable=True),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('accepted', 'rejected', 'retry_later', 'unknown')",
            name=op.f("ck_payout_attempt_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"], ["withdrawal.id"], name=op.f("fk_payout_attempt_withdrawal_id_withdrawal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_attempt")),
        sa.UniqueConstraint("withdrawal_id", "number", name=op.f("uq_payout_attempt_withdrawal_id_number")),
    )
    op.create_index(op.f("ix_payout_attempt_key"), "payout_attempt", ["key"], unique=False)
    op.create_index(
        "uq_payout_attempt_open",
        "payout_attempt",
        ["withdrawal_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
        sqlite_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "payment_reversal",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("payment_id", WHOLE, nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'dispute')", name=op.f("ck_payment_reversal_kind")),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'won', 'lost', 'failed')", name=op.f("ck_payment_reversal_state")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_reversal_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_reversal_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_reversal")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_payment_reversal_provider_ref")),
    )
    op.create_index(op.f("ix_payment_reversal_payment_id"), "payment_reversal", ["payment_id"], unique=False)
    op.create_table(
        "refund_request",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", WHOLE, nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=True),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("asked_by", WHOLE, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refund_request_amount")),
        sa.CheckConstraint(
            "state IN ('asked', 'sent', 'done', 'failed')", name=op.f("ck_refund_request_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["account_user.id"], name=op.f("fk_refund_request_asked_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_refund_request_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_request")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_refund_request_provider_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_request_public_id")),
    )
    op.create_index(op.f("ix_refund_request_payment_id"), "refund_request", ["payment_id"], unique=False)
    op.create_table(
        "event_sweep",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed", WHOLE, nullable=False),
        sa.Column("found", WHOLE, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_sweep")),
    )
