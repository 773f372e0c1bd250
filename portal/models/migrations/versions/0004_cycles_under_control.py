"""Rhythms, undo, reasons, ranks, plan drafts and trials, moves, imports, comparisons; what providers keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
RHYTHM = "CONSTRAINT ck_cycle_rhythm CHECK (rhythm IN ('day', 'week', 'month'))"
EARLIER_PURPOSES = "'preview', 'close'"
PURPOSES = "'preview', 'close', 'import', 'compare'"
PEOPLE = ("requested_by", "undone_by")
TABLES = (
    "cycle_rhythm",
    "imported_files",
    "placement_move",
    "plan_draft",
    "check_reason",
    "comparison",
    "loss",
    "paid_rank",
    "past_volume",
    "plan_trial",
    "compared_line",
    "plan_trial_cycle",
    "plan_trial_person",
)

# What each column points to is checked for all rows of a statement at once; see portal/models/guards.py.
POINTS_TO = {
    "carry": {"run_id": "run", "consultant_id": "consultant"},
    "commission_line": {
        "run_id": "run",
        "consultant_id": "consultant",
        "sale_id": "sale",
        "source_consultant_id": "consultant",
    },
    "entry": {"period_id": "ledger_period"},
    "loss": {"run_id": "run", "consultant_id": "consultant"},
    "paid_rank": {"run_id": "run", "consultant_id": "consultant"},
    "posting": {"entry_id": "entry"},
    "release": {"entry_id": "entry", "consultant_id": "consultant", "cycle_id": "cycle"},
}
CURRENCY_KEYS = {"fk_posting_debit": "debit_id", "fk_posting_credit": "credit_id"}
NEVER_DELETED = ("consultant", "cycle", "run")

CHECKS_UP = """
CREATE FUNCTION points_to_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE lost bigint;
BEGIN
  FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
    -- An aggregate looks at all rows, so the planner does not go for the first one.
    EXECUTE format('SELECT min(a.%1$I) FROM added a WHERE a.%1$I IS NOT NULL'
                   ' AND NOT EXISTS (SELECT 1 FROM %2$I t WHERE t.id = a.%1$I)',
                   TG_ARGV[i], TG_ARGV[i + 1]) INTO lost;
    IF lost IS NOT NULL THEN
      RAISE EXCEPTION '% of % points to % %, which is not there', TG_ARGV[i], TG_TABLE_NAME, TG_ARGV[i + 1], lost
        USING ERRCODE = 'foreign_key_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION posting_in_one_currency() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE lost bigint;
BEGIN
  SELECT count(*) INTO lost
    FROM added a
    LEFT JOIN account d ON d.id = a.debit_id AND d.currency = a.currency
    LEFT JOIN account c ON c.id = a.credit_id AND c.currency = a.currency
   WHERE d.id IS NULL OR c.id IS NULL;
  IF lost > 0 THEN
    RAISE EXCEPTION 'a posting needs two accounts of its currency' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER posting_in_one_currency AFTER INSERT ON posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION posting_in_one_currency();
"""
# Asked in SQL and not by a call for each row: a close changes as many balances as there are people.
GUARDS_UP = """
DROP TRIGGER account_guard ON account;
CREATE TRIGGER account_opens_empty BEFORE INSERT ON account FOR EACH ROW WHEN (NEW.balance <> 0)
  EXECUTE FUNCTION account_guard();
CREATE TRIGGER account_guard BEFORE UPDATE ON account FOR EACH ROW
  WHEN (
    NEW.balance <> OLD.balance AND pg_trigger_depth() = 0
    OR (NEW.id, NEW.currency, NEW.normal, NEW.owner_type, NEW.owner_id, NEW.purpose, NEW.tracked, NEW.floor)
       IS DISTINCT FROM
       (OLD.id, OLD.currency, OLD.normal, OLD.owner_type, OLD.owner_id, OLD.purpose, OLD.tracked, OLD.floor)
  ) EXECUTE FUNCTION account_guard();
"""
GUARDS_DOWN = """
DROP TRIGGER account_guard ON account;
DROP TRIGGER account_opens_empty ON account;
CREATE TRIGGER account_guard BEFORE INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION account_guard();
"""
POINTS_UP = """
CREATE TRIGGER {table}_points_to_rows AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION points_to_rows({arguments});
"""
STAYS_UP = """
CREATE TRIGGER {table}_stays BEFORE DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def new_columns() -> dict[str, list[sa.Column]]:
    return {
        "cycle": [
            sa.Column("undo_requested_at", INSTANT),
            sa.Column("compare_requested_at", INSTANT),
            sa.Column("compare_run_id", WHOLE),
            sa.Column("undo_until", INSTANT),
            sa.Column("requested_by", WHOLE),
        ],
        "event_sweep": [sa.Column("account", sa.String(255))],
        "payment": [sa.Column("fee_cents", WHOLE), sa.Column("fee_due_at", INSTANT)],
        "payment_reversal": [sa.Column("fee_cents", WHOLE), sa.Column("fee_due_at", INSTANT)],
        "payout_destination": [sa.Column("bank_mark", sa.String(255)), sa.Column("bank_told_at", INSTANT)],
        "payout_match": [sa.Column("there_cents", WHOLE), sa.Column("booked_cents", WHOLE)],
        "run": [
            sa.Column("ids", sa.LargeBinary()),
            sa.Column("plan_sha256", sa.String(64)),
            sa.Column("code_version", sa.String(64)),
            sa.Column("breakage", sa.JSON()),
            sa.Column("stages", sa.JSON()),
            sa.Column("taken", sa.JSON()),
            sa.Column("undone_at", INSTANT),
            sa.Column("undo_reason", sa.String(500)),
        ],
    }


def upgrade() -> None:
    create_tables()
    for table, columns in new_columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute(f"ALTER TABLE cycle ADD COLUMN rhythm VARCHAR(64) DEFAULT 'week' NOT NULL {RHYTHM}")
    op.create_index("ix_event_sweep_account", "event_sweep", ["account"])
    op.create_index("ix_placement_consultant", "placement", ["consultant_id", "valid_from"])
    op.create_index("ix_placement_parent", "placement", ["parent_id", "valid_from"])
    ask_for_fees()
    with op.batch_alter_table("run") as batch:
        batch.drop_constraint(op.f("ck_run_purpose"), type_="check")
        batch.create_check_constraint(op.f("ck_run_purpose"), f"purpose IN ({PURPOSES})")
        for name in PEOPLE:
            batch.add_column(sa.Column(name, WHOLE))
            batch.create_foreign_key(op.f(f"fk_run_{name}_account_user"), "account_user", [name], ["id"])
    if op.get_bind().dialect.name == "postgresql":
        check_for_each_statement()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        check_for_each_row()
    with op.batch_alter_table("run") as batch:
        for name in PEOPLE:
            batch.drop_constraint(op.f(f"fk_run_{name}_account_user"), type_="foreignkey")
            batch.drop_column(name)
        batch.drop_constraint(op.f("ck_run_purpose"), type_="check")
        batch.create_check_constraint(op.f("ck_run_purpose"), f"purpose IN ({EARLIER_PURPOSES})")
    op.drop_index("ix_event_sweep_account", table_name="event_sweep")
    op.drop_index("ix_placement_parent", table_name="placement")
    op.drop_index("ix_placement_consultant", table_name="placement")
    for table in ("payment", "payment_reversal"):
        op.drop_index(f"ix_{table}_fee_due_at", table_name=table)
    op.drop_column("cycle", "rhythm")
    for table, columns in new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    for table in reversed(TABLES):
        op.drop_table(table)


def ask_for_fees() -> None:
    """Of what came in before, nobody asked the provider yet what it kept."""
    op.execute("UPDATE payment SET fee_due_at = received_at")
    op.execute("UPDATE payment_reversal SET fee_due_at = changed_at")
    for table in ("payment", "payment_reversal"):
        op.create_index(f"ix_{table}_fee_due_at", table, ["fee_due_at"])


def check_for_each_statement() -> None:
    op.execute(CHECKS_UP)
    op.execute(GUARDS_UP)
    for table, columns in POINTS_TO.items():
        for column, other in columns.items():
            op.drop_constraint(op.f(f"fk_{table}_{column}_{other}"), table, type_="foreignkey")
        arguments = ", ".join(f"'{column}', '{other}'" for column, other in columns.items())
        op.execute(POINTS_UP.format(table=table, arguments=arguments))
    for name in CURRENCY_KEYS:
        op.drop_constraint(op.f(name), "posting", type_="foreignkey")
    for table in NEVER_DELETED:
        op.execute(STAYS_UP.format(table=table))


def check_for_each_row() -> None:
    op.execute(GUARDS_DOWN)
    op.execute("DROP FUNCTION points_to_rows() CASCADE")
    op.execute("DROP FUNCTION posting_in_one_currency() CASCADE")
    for table in NEVER_DELETED:
        op.execute(f"DROP TRIGGER {table}_stays ON {table}")
    for name, column in CURRENCY_KEYS.items():
        op.create_foreign_key(op.f(name), "posting", "account", [column, "currency"], ["id", "currency"])
    for table, columns in POINTS_TO.items():
        for column, other in columns.items():
            if table not in TABLES:
                op.create_foreign_key(op.f(f"fk_{table}_{column}_{other}"), table, other, [column], ["id"])


def create_tables() -> None:
    op.create_table(
        "cycle_rhythm",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("rhythm", sa.String(length=64), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("replaced_at", INSTANT, nullable=True),
        sa.CheckConstraint("rhythm IN ('day', 'week', 'month')", name=op.f("ck_cycle_rhythm_rhythm")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_cycle_rhythm_decided_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_rhythm")),
    )
    op.create_table(
        "imported_files",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("made_by", WHOLE, nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account_user.id"], name=op.f("fk_imported_files_made_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_files")),
        sa.UniqueConstraint("public_id", name=op.f("uq_imported_files_public_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_imported_files_sha256")),
    )
    op.create_table(
        "placement_move",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("parent_id", WHOLE, nullable=False),
        sa.Column("leg", sa.String(length=1), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("proposed_by", WHOLE, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.CheckConstraint("leg IN ('L', 'R')", name=op.f("ck_placement_move_leg")),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'rejected', 'done', 'refused')",
            name=op.f("ck_placement_move_state"),
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_placement_move_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_placement_move_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_placement_move_decided_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["consultant.id"], name=op.f("fk_placement_move_parent_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account_user.id"], name=op.f("fk_placement_move_proposed_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement_move")),
        sa.UniqueConstraint("public_id", name=op.f("uq_placement_move_public_id")),
    )
    op.create_index(
        "uq_placement_move_waiting",
        "placement_move",
        ["consultant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'approved')"),
        sqlite_where=sa.text("state IN ('proposed', 'approved')"),
    )
    op.create_table(
        "plan_draft",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("based_on_id", WHOLE, nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=True),
        sa.Column("made_by", WHOLE, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("proposed_by", WHOLE, nullable=True),
        sa.Column("proposed_at", INSTANT, nullable=True),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("plan_version_id", WHOLE, nullable=True),
        sa.CheckConstraint(
            "(state = 'live') = (plan_version_id IS NOT NULL)", name=op.f("ck_plan_draft_live")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'live', 'discarded')", name=op.f("ck_plan_draft_state")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_plan_draft_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["based_on_id"], ["plan_version.id"], name=op.f("fk_plan_draft_based_on_id_plan_version")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_plan_draft_decided_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account_user.id"], name=op.f("fk_plan_draft_made_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_plan_draft_plan_version_id_plan_version")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account_user.id"], name=op.f("fk_plan_draft_proposed_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_draft")),
        sa.UniqueConstraint("plan_version_id", name=op.f("uq_plan_draft_plan_version_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_draft_public_id")),
    )
    op.create_table(
        "check_reason",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("check_code", sa.String(length=64), nullable=False),
        sa.Column("figure", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("written_by", WHOLE, nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_check_reason_run_id_run")),
        sa.ForeignKeyConstraint(
            ["written_by"], ["account_user.id"], name=op.f("fk_check_reason_written_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_reason")),
        sa.UniqueConstraint(
            "run_id", "check_code", "figure", name=op.f("uq_check_reason_run_id_check_code_figure")
        ),
    )
    op.create_table(
        "comparison",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("made_by", WHOLE, nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_comparison_cycle_id_cycle")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account_user.id"], name=op.f("fk_comparison_made_by_account_user")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_comparison_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
        sa.UniqueConstraint("public_id", name=op.f("uq_comparison_public_id")),
    )
    op.create_index(op.f("ix_comparison_cycle_id"), "comparison", ["cycle_id"], unique=False)
    op.create_table(
        "past_volume",
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("volume", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_past_volume_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_past_volume_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("cycle_id", "consultant_id", name=op.f("pk_past_volume")),
    )
    op.create_table(
        "loss",
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("volume_left", WHOLE, nullable=False),
        sa.Column("volume_right", WHOLE, nullable=False),
        sa.Column("cents", WHOLE, nullable=False),
        sa.Column("held_cents", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_loss_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_loss_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "consultant_id", "rule", name=op.f("pk_loss")),
    )
    op.create_index("ix_loss_run_cents", "loss", ["run_id", "cents"])
    op.create_table(
        "paid_rank",
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("place", WHOLE, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_paid_rank_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_paid_rank_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "consultant_id", name=op.f("pk_paid_rank")),
    )
    op.create_table(
        "plan_trial",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("plan_draft_id", WHOLE, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("problem", sa.String(length=1000), nullable=True),
        sa.Column("requested_by", WHOLE, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("cancel_requested_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name=op.f("ck_plan_trial_state")
        ),
        sa.ForeignKeyConstraint(
            ["plan_draft_id"], ["plan_draft.id"], name=op.f("fk_plan_trial_plan_draft_id_plan_draft")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["account_user.id"], name=op.f("fk_plan_trial_requested_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_trial")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_trial_public_id")),
    )
    op.create_index(op.f("ix_plan_trial_plan_draft_id"), "plan_trial", ["plan_draft_id"], unique=False)
    op.create_table(
        "compared_line",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("comparison_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=True),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("theirs_cents", WHOLE, nullable=True),
        sa.Column("ours_cents", WHOLE, nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("settled_by", WHOLE, nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_note", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "theirs_cents IS NOT NULL OR ours_cents IS NOT NULL", name=op.f("ck_compared_line_one_side")
        ),
        sa.ForeignKeyConstraint(
            ["comparison_id"], ["comparison.id"], name=op.f("fk_compared_line_comparison_id_comparison")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_compared_line_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["account_user.id"], name=op.f("fk_compared_line_settled_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compared_line")),
    )
    op.create_index("ix_compared_line_comparison", "compared_line", ["comparison_id", "id"], unique=False)
    op.create_table(
        "plan_trial_cycle",
        sa.Column("trial_id", WHOLE, nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("handed_on", sa.LargeBinary(), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_plan_trial_cycle_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_plan_trial_cycle_run_id_run")),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["plan_trial.id"], name=op.f("fk_plan_trial_cycle_trial_id_plan_trial")
        ),
        sa.PrimaryKeyConstraint("trial_id", "cycle_id", name=op.f("pk_plan_trial_cycle")),
    )
    op.create_table(
        "plan_trial_person",
        sa.Column("trial_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("before_cents", WHOLE, nullable=False),
        sa.Column("after_cents", WHOLE, nullable=False),
        sa.Column("change_cents", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_plan_trial_person_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["plan_trial.id"], name=op.f("fk_plan_trial_person_trial_id_plan_trial")
        ),
        sa.PrimaryKeyConstraint("trial_id", "consultant_id", name=op.f("pk_plan_trial_person")),
    )
    op.create_index(
        "ix_plan_trial_person_change", "plan_trial_person", ["trial_id", "change_cents"], unique=False
    )
