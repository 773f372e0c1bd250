"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision = "0001"
down_revision = None


WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class TransactionNumber(UserDefinedType[int]):
    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def transaction_number() -> list[sa.Column[int]]:
    """The column that gives a sale's transaction its number before the sale draws its id."""
    if not on_postgresql():
        return []
    default = sa.text("pg_current_xact_id()")
    return [sa.Column("txid", TransactionNumber(), server_default=default, nullable=False)]


def sale_number() -> sa.Column[int]:
    """Drawn one by one, so that ids follow the order in which transactions began to write."""
    default = sa.text("nextval('sale_id_seq')") if on_postgresql() else None
    return sa.Column("id", WHOLE, server_default=default, autoincrement=False, nullable=False)


def upgrade() -> None:
    if on_postgresql():
        op.execute("CREATE SEQUENCE sale_id_seq CACHE 1")
    op.create_table(
        "agreement",
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_agreement")),
    )
    op.create_table(
        "currency",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("exponent", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_currency")),
    )
    op.create_table(
        "ledger_period",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends >= starts", name=op.f("ck_ledger_period_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_period")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["relayed_at", "id"], unique=False)
    op.create_table(
        "pack",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("price_cents", WHOLE, nullable=False),
        sa.Column("monthly_cents", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_pack")),
    )
    op.create_table(
        "person",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_public_id")),
    )
    op.create_index(op.f("ix_person_email"), "person", ["email"], unique=False)
    op.create_table(
        "plan_version",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
    )
    op.create_table(
        "vendor",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("core", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("name", name=op.f("uq_vendor_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vendor_public_id")),
    )
    op.create_table(
        "account",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("owner_type", sa.String(length=64), nullable=False),
        sa.Column("owner_id", WHOLE, nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("normal", sa.String(length=1), nullable=False),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("floor", WHOLE, nullable=True),
        sa.Column("balance", WHOLE, server_default="0", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("normal IN ('D', 'C')", name=op.f("ck_account_normal")),
        sa.CheckConstraint(
            "NOT tracked OR floor IS NULL OR balance >= floor", name=op.f("ck_account_no_overdraft")
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_account_currency_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("id", "currency", name=op.f("uq_account_id_currency")),
        sa.UniqueConstraint(
            "owner_type",
            "owner_id",
            "purpose",
            "currency",
            name=op.f("uq_account_owner_type_owner_id_purpose_currency"),
        ),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "account_user",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_user_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_user")),
        sa.UniqueConstraint("email", name=op.f("uq_account_user_email")),
        sa.UniqueConstraint("person_id", name=op.f("uq_account_user_person_id")),
    )
    op.create_table(
        "consultant",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("sponsor_id", WHOLE, nullable=True),
        sa.Column("pack", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("preference", sa.String(length=64), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "preference IN ('weaker', 'left', 'right', 'hand')", name=op.f("ck_consultant_preference")
        ),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'terminated')", name=op.f("ck_consultant_status")
        ),
        sa.ForeignKeyConstraint(["pack"], ["pack.code"], name=op.f("fk_consultant_pack_pack")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consultant_person_id_person")),
        sa.ForeignKeyConstraint(
            ["sponsor_id"], ["consultant.id"], name=op.f("fk_consultant_sponsor_id_consultant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultant")),
        sa.UniqueConstraint("code", name=op.f("uq_consultant_code")),
        sa.UniqueConstraint("person_id", name=op.f("uq_consultant_person_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_consultant_public_id")),
    )
    op.create_index(op.f("ix_consultant_sponsor_id"), "consultant", ["sponsor_id"], unique=False)
    op.create_table(
        "cycle",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("previous_id", WHOLE, nullable=True),
        sa.Column("plan_version_id", WHOLE, nullable=False),
        sa.Column("preview_run_id", WHOLE, nullable=True),
        sa.Column("close_run_id", WHOLE, nullable=True),
        sa.Column("payout_batch_id", WHOLE, nullable=True),
        sa.Column("preview_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.String(length=1000), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'ended', 'previewed', 'approved', 'closed', 'paid')",
            name=op.f("ck_cycle_state"),
        ),
        sa.CheckConstraint("starts_at < until", name=op.f("ck_cycle_length")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_cycle_plan_version_id_plan_version")
        ),
        sa.ForeignKeyConstraint(["previous_id"], ["cycle.id"], name=op.f("fk_cycle_previous_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
        sa.UniqueConstraint("name", name=op.f("uq_cycle_name")),
        sa.UniqueConstraint("previous_id", name=op.f("uq_cycle_previous_id")),
        sa.UniqueConstraint("starts_at", name=op.f("uq_cycle_starts_at")),
    )
    op.create_index(
        "uq_cycle_open",
        "cycle",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=True),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliveries", WHOLE, nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'retry', 'done', 'ignored', 'dead')", name=op.f("ck_inbox_state")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_inbox_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_inbox_source_event_id")),
    )
    op.create_index("ix_inbox_due", "inbox", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_inbox_vendor_id"), "inbox", ["vendor_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_ref", sa.String(length=255), nullable=True),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'unknown', 'failed')", name=op.f("ck_message_state")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_message_public_id")),
    )
    op.create_index("ix_message_due", "message", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_message_person_id"), "message", ["person_id"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_service_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("vendor_id", "code", name=op.f("uq_service_vendor_id_code")),
    )
    op.create_table(
        "task",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("outbox_id", WHOLE, nullable=False),
        sa.Column("handler", sa.String(length=64), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('new', 'retry', 'done', 'dead')", name=op.f("ck_task_state")),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_task_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("outbox_id", "handler", name=op.f("uq_task_outbox_id_handler")),
    )
    op.create_index("ix_task_due", "task", ["queue", "state", "next_at"], unique=False)
    op.create_table(
        "vendor_key",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_key_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vendor_key_public_id")),
    )
    op.create_index(op.f("ix_vendor_key_vendor_id"), "vendor_key", ["vendor_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", WHOLE, nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("thing", sa.String(length=64), nullable=False),
        sa.Column("thing_id", WHOLE, nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account_user.id"], name=op.f("fk_audit_actor_id_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "customer",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("ref", sa.String(length=100), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_customer_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_customer_person_id_person")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_customer_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_public_id")),
        sa.UniqueConstraint("vendor_id", "ref", name=op.f("uq_customer_vendor_id_ref")),
    )
    op.create_index(op.f("ix_customer_consultant_id"), "customer", ["consultant_id"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("period_id", WHOLE, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", WHOLE, nullable=True),
        sa.Column("cause_type", sa.String(length=64), nullable=True),
        sa.Column("cause_id", WHOLE, nullable=True),
        sa.Column("reverses_id", WHOLE, nullable=True),
        sa.Column("resolves_id", WHOLE, nullable=True),
        sa.CheckConstraint("resolves_id IS NULL OR resolves_id < id", name=op.f("ck_entry_resolves_earlier")),
        sa.CheckConstraint("reverses_id IS NULL OR reverses_id < id", name=op.f("ck_entry_reverses_earlier")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account_user.id"], name=op.f("fk_entry_actor_id_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["period_id"], ["ledger_period.id"], name=op.f("fk_entry_period_id_ledger_period")
        ),
        sa.ForeignKeyConstraint(["resolves_id"], ["entry.id"], name=op.f("fk_entry_resolves_id_entry")),
        sa.ForeignKeyConstraint(["reverses_id"], ["entry.id"], name=op.f("fk_entry_reverses_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_entry_key")),
        sa.UniqueConstraint("resolves_id", name=op.f("uq_entry_resolves_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_entry_reverses_id")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_login_session_user_id_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index(op.f("ix_login_session_user_id"), "login_session", ["user_id"], unique=False)
    op.create_table(
        "payout_batch",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("sum_cents", WHOLE, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", WHOLE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", WHOLE, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('exported', 'confirmed', 'void')", name=op.f("ck_payout_batch_state")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["account_user.id"], name=op.f("fk_payout_batch_confirmed_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_payout_batch_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_payout_batch_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_batch_public_id")),
    )
    op.create_table(
        "placement",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("parent_id", WHOLE, nullable=True),
        sa.Column("leg", sa.String(length=1), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("leg IN ('L', 'R')", name=op.f("ck_placement_leg")),
        sa.CheckConstraint("(parent_id IS NULL) = (leg IS NULL)", name=op.f("ck_placement_parent_and_leg")),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_placement_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["consultant.id"], name=op.f("fk_placement_parent_id_consultant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    op.create_index(
        "uq_placement_current_consultant",
        "placement",
        ["consultant_id"],
        unique=True,
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.create_index(
        "uq_placement_current_spot",
        "placement",
        ["parent_id", "leg"],
        unique=True,
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.create_table(
        "registration",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("pack", sa.String(length=64), nullable=False),
        sa.Column("sponsor_id", WHOLE, nullable=True),
        sa.Column("leg_wish", sa.String(length=1), nullable=True),
        sa.Column("agreement_version", sa.String(length=32), nullable=True),
        sa.Column("agreement_sha256", sa.String(length=64), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("checkout_session", sa.String(length=255), nullable=True),
        sa.Column("consultant_id", WHOLE, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('started', 'expired') OR agreed_at IS NOT NULL", name=op.f("ck_registration_agreed")
        ),
        sa.CheckConstraint(
            "leg_wish IS NULL OR leg_wish IN ('L', 'R')", name=op.f("ck_registration_leg_wish")
        ),
        sa.CheckConstraint(
            "state IN ('started', 'complete', 'expired', 'duplicate', 'settled')",
            name=op.f("ck_registration_state"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_version"],
            ["agreement.version"],
            name=op.f("fk_registration_agreement_version_agreement"),
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_registration_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["pack"], ["pack.code"], name=op.f("fk_registration_pack_pack")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_registration_person_id_person")),
        sa.ForeignKeyConstraint(
            ["sponsor_id"], ["consultant.id"], name=op.f("fk_registration_sponsor_id_consultant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("public_id", name=op.f("uq_registration_public_id")),
    )
    op.create_index(
        op.f("ix_registration_checkout_session"), "registration", ["checkout_session"], unique=False
    )
    op.create_table(
        "role_grant",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_role_grant_user_id_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint("user_id", "role", name=op.f("uq_role_grant_user_id_role")),
    )
    op.create_table(
        "run",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("plan_version_id", WHOLE, nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("output_hash", sa.String(length=64), nullable=True),
        sa.Column("totals", sa.JSON(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calculated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('preview', 'close')", name=op.f("ck_run_purpose")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_run_cycle_id_cycle")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_run_plan_version_id_plan_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_cycle_id"), "run", ["cycle_id"], unique=False)
    op.create_table(
        "terms_version",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("service_id", WHOLE, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("volume_flat", WHOLE, nullable=False),
        sa.Column("volume_per_unit", WHOLE, nullable=False),
        sa.Column("revenue_flat_cents", WHOLE, nullable=False),
        sa.Column("revenue_per_unit_cents", WHOLE, nullable=False),
        sa.Column("milestones", sa.JSON(), nullable=False),
        sa.Column("cooling_off_days", WHOLE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cooling_off_days >= 0", name=op.f("ck_terms_version_cooling_off_days")),
        sa.CheckConstraint(
            "revenue_flat_cents >= 0 AND revenue_per_unit_cents >= 0", name=op.f("ck_terms_version_revenue")
        ),
        sa.CheckConstraint("volume_flat >= 0 AND volume_per_unit >= 0", name=op.f("ck_terms_version_volume")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_terms_version_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_version")),
        sa.UniqueConstraint("service_id", "valid_from", name=op.f("uq_terms_version_service_id_valid_from")),
    )
    op.create_table(
        "approval",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("output_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_approval_run_id_run")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_approval_user_id_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("run_id", "user_id", name=op.f("uq_approval_run_id_user_id")),
    )
    op.create_table(
        "carry",
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("new_left", WHOLE, nullable=False),
        sa.Column("new_right", WHOLE, nullable=False),
        sa.Column("carry_left", WHOLE, nullable=False),
        sa.Column("carry_right", WHOLE, nullable=False),
        sa.Column("taken_left", WHOLE, nullable=False),
        sa.Column("taken_right", WHOLE, nullable=False),
        sa.Column("expired_left", WHOLE, nullable=False),
        sa.Column("expired_right", WHOLE, nullable=False),
        sa.Column("restored", WHOLE, nullable=False),
        sa.Column("matched_to_date", WHOLE, nullable=False),
        sa.Column("paid_to_date_cents", WHOLE, nullable=False),
        sa.Column("inactive_cycles", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_carry_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_carry_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "consultant_id", name=op.f("pk_carry")),
    )
    op.create_table(
        "contract",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("ref", sa.String(length=100), nullable=False),
        sa.Column("customer_id", WHOLE, nullable=False),
        sa.Column("service_id", WHOLE, nullable=False),
        sa.Column("terms_version_id", WHOLE, nullable=False),
        sa.Column("size_thousandths", WHOLE, nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('registered', 'signed', 'installed', 'active', 'cancelled')",
            name=op.f("ck_contract_state"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_contract_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_contract_service_id_service")),
        sa.ForeignKeyConstraint(
            ["terms_version_id"],
            ["terms_version.id"],
            name=op.f("fk_contract_terms_version_id_terms_version"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_contract_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("vendor_id", "ref", name=op.f("uq_contract_vendor_id_ref")),
    )
    op.create_index(op.f("ix_contract_customer_id"), "contract", ["customer_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("registration_id", WHOLE, nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=False),
        sa.Column("subscription_ref", sa.String(length=255), nullable=True),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_payment_registration_id_registration")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_payment_provider_ref")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_public_id")),
    )
    op.create_index(op.f("ix_payment_registration_id"), "payment", ["registration_id"], unique=False)
    op.create_index(op.f("ix_payment_subscription_ref"), "payment", ["subscription_ref"], unique=False)
    op.create_table(
        "posting",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("entry_id", WHOLE, nullable=False),
        sa.Column("debit_id", WHOLE, nullable=False),
        sa.Column("credit_id", WHOLE, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.CheckConstraint(
            "amount_cents > 0 AND amount_cents <= 1000000000000", name=op.f("ck_posting_amount")
        ),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_posting_two_accounts")),
        sa.ForeignKeyConstraint(
            ["credit_id", "currency"], ["account.id", "account.currency"], name="fk_posting_credit"
        ),
        sa.ForeignKeyConstraint(
            ["debit_id", "currency"], ["account.id", "account.currency"], name="fk_posting_debit"
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_posting_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
    )
    op.create_index("ix_posting_credit_id", "posting", ["credit_id"], unique=False)
    op.create_index("ix_posting_debit_id", "posting", ["debit_id"], unique=False)
    op.create_index(op.f("ix_posting_entry_id"), "posting", ["entry_id"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("entry_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("clawed_cents", WHOLE, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_release_amount")),
        sa.CheckConstraint(
            "clawed_cents >= 0 AND clawed_cents <= amount_cents", name=op.f("ck_release_clawed")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_release_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_release_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_release_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_release_entry_id")),
    )
    op.create_index(op.f("ix_release_consultant_id"), "release", ["consultant_id"], unique=False)
    op.create_index(op.f("ix_release_cycle_id"), "release", ["cycle_id"], unique=False)
    op.create_index("ix_release_due", "release", ["released_at", "due_on"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reserve_entry_id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=True),
        sa.Column("requested_by", WHOLE, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'exported', 'paid', 'rejected', 'cancelled', 'returned')",
            name=op.f("ck_withdrawal_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_withdrawal_amount")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batch.id"], name=op.f("fk_withdrawal_batch_id_payout_batch")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_withdrawal_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_withdrawal_decided_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["account_user.id"], name=op.f("fk_withdrawal_requested_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["reserve_entry_id"], ["entry.id"], name=op.f("fk_withdrawal_reserve_entry_id_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("key", name=op.f("uq_withdrawal_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_withdrawal_public_id")),
        sa.UniqueConstraint("reserve_entry_id", name=op.f("uq_withdrawal_reserve_entry_id")),
    )
    op.create_index(op.f("ix_withdrawal_batch_id"), "withdrawal", ["batch_id"], unique=False)
    op.create_index(op.f("ix_withdrawal_consultant_id"), "withdrawal", ["consultant_id"], unique=False)
    op.create_index("ix_withdrawal_state", "withdrawal", ["state", "id"], unique=False)
    op.create_table(
        "sale",
        *transaction_number(),
        sale_number(),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("cycle_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("contract_id", WHOLE, nullable=False),
        sa.Column("milestone", sa.String(length=64), nullable=False),
        sa.Column("volume", WHOLE, nullable=False),
        sa.Column("revenue_cents", WHOLE, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reverses_id", WHOLE, nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(reverses_id IS NULL AND volume >= 0 AND revenue_cents >= 0) OR (reverses_id IS NOT NULL AND volume <= 0 AND revenue_cents <= 0)",
            name=op.f("ck_sale_sign"),
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_sale_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_sale_contract_id_contract")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_sale_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["reverses_id"], ["sale.id"], name=op.f("fk_sale_reverses_id_sale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.UniqueConstraint("cause", name=op.f("uq_sale_cause")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sale_public_id")),
    )
    op.create_index("ix_sale_consultant", "sale", ["consultant_id", "id"], unique=False)
    op.create_index(op.f("ix_sale_contract_id"), "sale", ["contract_id"], unique=False)
    op.create_index("ix_sale_cycle_consultant", "sale", ["cycle_id", "consultant_id"], unique=False)
    op.create_index(op.f("ix_sale_reverses_id"), "sale", ["reverses_id"], unique=False)
    op.create_table(
        "commission_line",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("amount_cents", WHOLE, nullable=False),
        sa.Column("base", WHOLE, nullable=False),
        sa.Column("sale_id", WHOLE, nullable=True),
        sa.Column("source_consultant_id", WHOLE, nullable=True),
        sa.Column("level", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_commission_line_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_commission_line_run_id_run")),
        sa.ForeignKeyConstraint(["sale_id"], ["sale.id"], name=op.f("fk_commission_line_sale_id_sale")),
        sa.ForeignKeyConstraint(
            ["source_consultant_id"],
            ["consultant.id"],
            name=op.f("fk_commission_line_source_consultant_id_consultant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_line")),
    )
    op.create_index(
        "ix_commission_line_run_consultant", "commission_line", ["run_id", "consultant_id"], unique=False
    )
    op.create_index(op.f("ix_commission_line_sale_id"), "commission_line", ["sale_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_commission_line_sale_id"), table_name="commission_line")
    op.drop_index("ix_commission_line_run_consultant", table_name="commission_line")
    op.drop_table("commission_line")
    op.drop_index(op.f("ix_sale_reverses_id"), table_name="sale")
    op.drop_index("ix_sale_cycle_consultant", table_name="sale")
    op.drop_index(op.f("ix_sale_contract_id"), table_name="sale")
    op.drop_index("ix_sale_consultant", table_name="sale")
    op.drop_table("sale")
    if on_postgresql():
        op.execute("DROP SEQUENCE sale_id_seq")
    op.drop_index("ix_withdrawal_state", table_name="withdrawal")
    op.drop_index(op.f("ix_withdrawal_consultant_id"), table_name="withdrawal")
    op.drop_index(op.f("ix_withdrawal_batch_id"), table_name="withdrawal")
    op.drop_table("withdrawal")
    op.drop_index("ix_release_due", table_name="release")
    op.drop_index(op.f("ix_release_cycle_id"), table_name="release")
    op.drop_index(op.f("ix_release_consultant_id"), table_name="release")
    op.drop_table("release")
    op.drop_index(op.f("ix_posting_entry_id"), table_name="posting")
    op.drop_index("ix_posting_debit_id", table_name="posting")
    op.drop_index("ix_posting_credit_id", table_name="posting")
    op.drop_table("posting")
    op.drop_index(op.f("ix_payment_subscription_ref"), table_name="payment")
    op.drop_index(op.f("ix_payment_registration_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(op.f("ix_contract_customer_id"), table_name="contract")
    op.drop_table("contract")
    op.drop_table("carry")
    op.drop_table("approval")
    op.drop_table("terms_version")
    op.drop_index(op.f("ix_run_cycle_id"), table_name="run")
    op.drop_table("run")
    op.drop_table("role_grant")
    op.drop_index(op.f("ix_registration_checkout_session"), table_name="registration")
    op.drop_table("registration")
    op.drop_index(
        "uq_placement_current_spot",
        table_name="placement",
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.drop_index(
        "uq_placement_current_consultant",
        table_name="placement",
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.drop_table("placement")
    op.drop_table("payout_batch")
    op.drop_index(op.f("ix_login_session_user_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_table("entry")
    op.drop_index(op.f("ix_customer_consultant_id"), table_name="customer")
    op.drop_table("customer")
    op.drop_table("audit")
    op.drop_index(op.f("ix_vendor_key_vendor_id"), table_name="vendor_key")
    op.drop_table("vendor_key")
    op.drop_index("ix_task_due", table_name="task")
    op.drop_table("task")
    op.drop_table("service")
    op.drop_index(op.f("ix_message_person_id"), table_name="message")
    op.drop_index("ix_message_due", table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_inbox_vendor_id"), table_name="inbox")
    op.drop_index("ix_inbox_due", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(
        "uq_cycle_open",
        table_name="cycle",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.drop_table("cycle")
    op.drop_index(op.f("ix_consultant_sponsor_id"), table_name="consultant")
    op.drop_table("consultant")
    op.drop_table("account_user")
    op.drop_table("account")
    op.drop_table("vendor")
    op.drop_table("plan_version")
    op.drop_index(op.f("ix_person_email"), table_name="person")
    op.drop_table("person")
    op.drop_table("pack")
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("ledger_period")
    op.drop_table("currency")
    op.drop_table("agreement")
