"""Terms with shares and rules, facts of contracts, leads, licences, statements, and what other systems may do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
CONTRACT_STATES = "'registered', 'signed', 'installed', 'active', 'suspended', 'cancelled'"
EARLIER_CONTRACT_STATES = "'registered', 'signed', 'installed', 'active', 'cancelled'"
KINDS = "kind IN ('one_off', 'milestone', 'recurring')"
WRITTEN_BY = "fk_terms_version_created_by_account_user"
RESIDUALS = {
    "volume": ("residual_volume_flat", "residual_volume_per_unit"),
    "revenue": ("residual_revenue_flat_cents", "residual_revenue_per_unit_cents"),
}
TABLES = (
    "consent_text",
    "consent",
    "contact_stop",
    "licence",
    "own_use_rule",
    "licence_document",
    "api_token",
    "webhook_endpoint",
    "webhook_delivery",
    "lead_form",
    "statement",
    "statement_mapping",
    "vendor_member",
    "statement_line",
    "contract_fact",
    "statement_difference",
    "lead",
    "api_request",
    "lead_step",
    "lead_task",
    "routing_rule",
    "lead_offer",
    "held_sale",
)

# What was known of contracts before every word about them was kept.
FACTS_OF_SALES = """
    INSERT INTO contract_fact (contract_id, key, type, milestone, occurred_at, size_thousandths, signed_on,
                               recorded_at)
    SELECT c.id, 'before-' || c.id || '-' || s.milestone,
           CASE s.milestone WHEN 'paid' THEN 'order.paid' ELSE 'service.' || s.milestone END, s.milestone,
           min(s.occurred_at), CASE WHEN c.size_thousandths > 0 THEN c.size_thousandths END, c.signed_on,
           min(s.recorded_at)
      FROM sale s JOIN contract c ON c.id = s.contract_id
     WHERE s.reverses_id IS NULL
     GROUP BY c.id, c.size_thousandths, c.signed_on, s.milestone
"""
# Whose customers are their own, and for whom a vendor vouched by telling who they are.
OWN_HOUSEHOLDS = """
    UPDATE customer SET own_use = true WHERE EXISTS (
        SELECT 1 FROM person buyer, consultant seller JOIN person own ON own.id = seller.person_id
         WHERE buyer.id = customer.person_id AND seller.id = customer.consultant_id
           AND (buyer.id = own.id OR (buyer.email <> '' AND lower(buyer.email) = lower(own.email))))
"""
KNOWN_TO_VENDORS = """
    UPDATE customer SET verified_at = registered_at, verified_by = 'vendor'
     WHERE NOT own_use AND person_id IN (SELECT id FROM person WHERE name <> '' OR email <> '')
"""
# An order whose money went back is cancelled as long as it did; only its vendor cancels it for good.
FACTS_OF_CANCELLATIONS = """
    INSERT INTO contract_fact (contract_id, key, type, milestone, occurred_at, recorded_at)
    SELECT id, 'before-' || id || '-cancelled', 'service.cancelled', '', cancelled_at, cancelled_at
      FROM contract c WHERE cancelled_at IS NOT NULL
       AND (NOT EXISTS (SELECT 1 FROM marketplace_order o WHERE o.contract_id = c.id)
            OR EXISTS (SELECT 1 FROM inbox i WHERE i.vendor_id = c.vendor_id AND i.object_ref = c.ref
                          AND i.kind = 'service.cancelled' AND i.state = 'done'))
"""


def new_columns() -> dict[str, list[sa.Column]]:
    return {
        "comparison": [sa.Column("requested_at", INSTANT), sa.Column("problem", sa.String(1000))],
        "contract": [sa.Column("refunded_share", WHOLE, server_default="0", nullable=False)],
        "customer": [
            sa.Column("own_use", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("verified_at", INSTANT),
            sa.Column("verified_by", sa.String(64)),
        ],
        "inbox": [sa.Column("problem", sa.String(64)), sa.Column("outcome", sa.String(300))],
        "person": [
            sa.Column("phone", sa.String()),
            sa.Column("phone_mark", sa.String(64)),
            sa.Column("phone_end_mark", sa.String(64)),
            sa.Column("address", sa.String()),
            sa.Column("region", sa.String(2)),
        ],
        "service": [sa.Column("summary", sa.String(500)), sa.Column("withdrawn_at", INSTANT)],
        "terms_version": [
            sa.Column("shares", sa.JSON()),
            sa.Column("packs", sa.JSON(), server_default="[]", nullable=False),
            sa.Column("states", sa.JSON(), server_default="[]", nullable=False),
            sa.Column("licence_kind", sa.String(64)),
            sa.Column("licence_states", sa.JSON(), server_default="[]", nullable=False),
            sa.Column("required_fields", sa.JSON(), server_default="[]", nullable=False),
        ],
    }


def upgrade() -> None:
    create_agreements()
    create_integrations()
    create_statements()
    create_leads()
    create_api_requests()
    for table, columns in new_columns().items():
        for column in columns:
            op.add_column(table, column)
    widen_terms()
    for mark in ("phone_mark", "phone_end_mark"):
        op.create_index(op.f(f"ix_person_{mark}"), "person", [mark])
    op.create_index("ix_inbox_vendor_received", "inbox", ["vendor_id", "received_at"])
    op.drop_index(op.f("ix_inbox_vendor_id"), table_name="inbox")
    with op.batch_alter_table("contract") as batch:
        batch.drop_constraint(op.f("ck_contract_state"), type_="check")
        batch.create_check_constraint(op.f("ck_contract_state"), f"state IN ({CONTRACT_STATES})")
        batch.create_check_constraint(
            op.f("ck_contract_refunded_share"), "refunded_share >= 0 AND refunded_share <= 10000"
        )
    op.execute(FACTS_OF_SALES)
    op.execute(FACTS_OF_CANCELLATIONS)
    op.execute(OWN_HOUSEHOLDS)
    op.execute(KNOWN_TO_VENDORS)
    change_packs({"lead_desk": "earnings"})


def change_packs(features: dict[str, str]) -> None:
    """Give every pack these features: the packs with the named dashboard have them; an empty name drops them."""
    packs = sa.table("pack", sa.column("code", sa.String), sa.column("features", sa.JSON))
    for code, known in op.get_bind().execute(sa.select(packs.c.code, packs.c.features)).all():
        changed = {name: value for name, value in known.items() if name not in features}
        changed |= {name: known.get("dashboard") == wanted for name, wanted in features.items() if wanted}
        op.execute(packs.update().where(packs.c.code == code).values(features=changed))


def downgrade() -> None:
    change_packs({"lead_desk": ""})
    op.execute("UPDATE contract SET state = 'active' WHERE state = 'suspended'")
    with op.batch_alter_table("contract") as batch:
        batch.drop_constraint(op.f("ck_contract_refunded_share"), type_="check")
        batch.drop_constraint(op.f("ck_contract_state"), type_="check")
        batch.create_check_constraint(op.f("ck_contract_state"), f"state IN ({EARLIER_CONTRACT_STATES})")
    op.create_index(op.f("ix_inbox_vendor_id"), "inbox", ["vendor_id"])
    op.drop_index("ix_inbox_vendor_received", table_name="inbox")
    for mark in ("phone_mark", "phone_end_mark"):
        op.drop_index(op.f(f"ix_person_{mark}"), table_name="person")
    narrow_terms()
    for table, columns in new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    for table in reversed(TABLES):
        op.drop_table(table)


def widen_terms() -> None:
    with op.batch_alter_table("terms_version") as batch:
        batch.add_column(sa.Column("kind", sa.String(64), server_default="milestone", nullable=False))
        batch.add_column(sa.Column("created_by", WHOLE))
        for columns in RESIDUALS.values():
            for column in columns:
                batch.add_column(sa.Column(column, WHOLE, server_default="0", nullable=False))
        batch.create_foreign_key(op.f(WRITTEN_BY), "account_user", ["created_by"], ["id"])
        batch.create_check_constraint(op.f("ck_terms_version_kind"), KINDS)
        for name, (flat, per_unit) in RESIDUALS.items():
            check = f"{flat} >= 0 AND {per_unit} >= 0"
            batch.create_check_constraint(op.f(f"ck_terms_version_residual_{name}"), check)


def narrow_terms() -> None:
    with op.batch_alter_table("terms_version") as batch:
        batch.drop_constraint(op.f(WRITTEN_BY), type_="foreignkey")
        batch.drop_constraint(op.f("ck_terms_version_kind"), type_="check")
        for name, (flat, per_unit) in RESIDUALS.items():
            batch.drop_constraint(op.f(f"ck_terms_version_residual_{name}"), type_="check")
            batch.drop_column(flat)
            batch.drop_column(per_unit)
        batch.drop_column("created_by")
        batch.drop_column("kind")


def create_agreements() -> None:
    op.create_table(
        "consent_text",
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_text")),
    )
    op.create_table(
        "consent",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("text_version", sa.String(length=32), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id_person")),
        sa.ForeignKeyConstraint(
            ["text_version"], ["consent_text.version"], name=op.f("fk_consent_text_version_consent_text")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"], unique=False)
    op.create_table(
        "contact_stop",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", WHOLE, nullable=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint("channel IN ('email', 'phone')", name=op.f("ck_contact_stop_channel")),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["account_user.id"], name=op.f("fk_contact_stop_asked_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_stop")),
    )
    op.create_index(
        "uq_contact_stop_current",
        "contact_stop",
        ["channel", "mark"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "licence",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("reminded_days", WHOLE, nullable=True),
        sa.CheckConstraint(
            "state IN ('submitted', 'verified', 'rejected', 'ended')", name=op.f("ck_licence_state")
        ),
        sa.CheckConstraint("expires_on >= valid_from", name=op.f("ck_licence_length")),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_licence_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_licence_decided_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence")),
        sa.UniqueConstraint("public_id", name=op.f("uq_licence_public_id")),
    )
    op.create_index("ix_licence_consultant", "licence", ["consultant_id", "kind", "region"], unique=False)
    op.create_index("ix_licence_expiry", "licence", ["state", "expires_on"], unique=False)
    op.create_table(
        "own_use_rule",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("monthly_volume", WHOLE, nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.CheckConstraint("monthly_volume >= 0", name=op.f("ck_own_use_rule_monthly_volume")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_own_use_rule_decided_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_use_rule")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_own_use_rule_valid_from")),
    )
    op.create_table(
        "licence_document",
        sa.Column("licence_id", WHOLE, nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.id"], name=op.f("fk_licence_document_licence_id_licence")
        ),
        sa.PrimaryKeyConstraint("licence_id", name=op.f("pk_licence_document")),
    )


def create_integrations() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_api_token_user_id_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_token_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_user_id"), "api_token", ["user_id"], unique=False)
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=True),
        sa.Column("vendor_id", WHOLE, nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_secret_until", INSTANT, nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("failures", WHOLE, server_default="0", nullable=False),
        sa.Column("created_by", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("disabled_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "consultant_id IS NULL OR vendor_id IS NULL", name=op.f("ck_webhook_endpoint_one_owner")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_webhook_endpoint_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_webhook_endpoint_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendor.id"], name=op.f("fk_webhook_endpoint_vendor_id_vendor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("public_id", name=op.f("uq_webhook_endpoint_public_id")),
    )
    op.create_index(
        op.f("ix_webhook_endpoint_consultant_id"), "webhook_endpoint", ["consultant_id"], unique=False
    )
    op.create_index(op.f("ix_webhook_endpoint_vendor_id"), "webhook_endpoint", ["vendor_id"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("endpoint_id", WHOLE, nullable=False),
        sa.Column("event_key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("status_code", WHOLE, nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'retry', 'done', 'dead')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_endpoint_id_webhook_endpoint"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "endpoint_id", "event_key", name=op.f("uq_webhook_delivery_endpoint_id_event_key")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_webhook_delivery_public_id")),
    )
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["state", "next_at"], unique=False)
    op.create_table(
        "lead_form",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=True),
        sa.Column("service_id", WHOLE, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.Column("ask_phone", sa.Boolean(), nullable=False),
        sa.Column("thanks_url", sa.String(length=500), nullable=True),
        sa.Column("created_by", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_lead_form_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_lead_form_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_lead_form_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_form")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_form_public_id")),
    )
    op.create_index(op.f("ix_lead_form_consultant_id"), "lead_form", ["consultant_id"], unique=False)


def create_statements() -> None:
    op.create_table(
        "statement",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_by", WHOLE, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("compared_at", INSTANT, nullable=True),
        sa.Column("replaced_at", INSTANT, nullable=True),
        sa.CheckConstraint("source IN ('api', 'csv')", name=op.f("ck_statement_source")),
        sa.ForeignKeyConstraint(
            ["received_by"], ["account_user.id"], name=op.f("fk_statement_received_by_account_user")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_statement_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_statement_public_id")),
        sa.UniqueConstraint("vendor_id", "day", "sha256", name=op.f("uq_statement_vendor_id_day_sha256")),
    )
    op.create_index("ix_statement_vendor_day", "statement", ["vendor_id", "day"], unique=False)
    op.create_table(
        "statement_mapping",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("changed_by", WHOLE, nullable=True),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["account_user.id"], name=op.f("fk_statement_mapping_changed_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id"], ["vendor.id"], name=op.f("fk_statement_mapping_vendor_id_vendor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_mapping")),
        sa.UniqueConstraint("vendor_id", "name", name=op.f("uq_statement_mapping_vendor_id_name")),
    )
    op.create_table(
        "vendor_member",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("vendor_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("invited_by", WHOLE, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["account_user.id"], name=op.f("fk_vendor_member_invited_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_vendor_member_user_id_account_user")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_member_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_member")),
        sa.UniqueConstraint("vendor_id", "user_id", name=op.f("uq_vendor_member_vendor_id_user_id")),
    )
    op.create_index(op.f("ix_vendor_member_user_id"), "vendor_member", ["user_id"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("statement_id", WHOLE, nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("contract_ref", sa.String(length=100), nullable=False),
        sa.Column("customer_ref", sa.String(length=100), nullable=True),
        sa.Column("consultant_code", sa.String(length=16), nullable=True),
        sa.Column("service_code", sa.String(length=64), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=True),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("size_thousandths", WHOLE, nullable=True),
        sa.Column("revenue_cents", WHOLE, nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("sold_in", sa.String(length=2), nullable=True),
        sa.Column("share", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name=op.f("fk_statement_line_statement_id_statement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("statement_id", "line", name=op.f("uq_statement_line_statement_id_line")),
    )
    op.create_table(
        "contract_fact",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("contract_id", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("milestone", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("size_thousandths", WHOLE, nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=True),
        sa.Column("share", WHOLE, nullable=True),
        sa.Column("inbox_id", WHOLE, nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_fact_contract_id_contract")
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_contract_fact_inbox_id_inbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_fact")),
        sa.UniqueConstraint("key", name=op.f("uq_contract_fact_key")),
    )
    op.create_index(
        "ix_contract_fact_contract", "contract_fact", ["contract_id", "occurred_at", "id"], unique=False
    )
    op.create_index("ix_contract_fact_occurred", "contract_fact", ["occurred_at"], unique=False)
    op.create_table(
        "statement_difference",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("statement_id", WHOLE, nullable=False),
        sa.Column("line_id", WHOLE, nullable=True),
        sa.Column("fact_id", WHOLE, nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("contract_ref", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("choice", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("event_id", sa.String(length=255), nullable=True),
        sa.Column("settled_by", WHOLE, nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('missing', 'extra', 'different')", name=op.f("ck_statement_difference_kind")
        ),
        sa.ForeignKeyConstraint(
            ["fact_id"], ["contract_fact.id"], name=op.f("fk_statement_difference_fact_id_contract_fact")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["statement_line.id"], name=op.f("fk_statement_difference_line_id_statement_line")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["account_user.id"], name=op.f("fk_statement_difference_settled_by_account_user")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name=op.f("fk_statement_difference_statement_id_statement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_difference")),
        sa.UniqueConstraint("public_id", name=op.f("uq_statement_difference_public_id")),
    )
    op.create_index(
        "ix_statement_difference_open", "statement_difference", ["statement_id", "settled_at"], unique=False
    )


def create_api_requests() -> None:
    op.create_table(
        "api_request",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("lead_id", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account_user.id"], name=op.f("fk_api_request_user_id_account_user")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_api_request_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_request")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_api_request_user_id_key")),
    )


def create_leads() -> None:
    op.create_table(
        "lead",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=True),
        sa.Column("service_id", WHOLE, nullable=True),
        sa.Column("customer_id", WHOLE, nullable=True),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=True),
        sa.Column("region", sa.String(length=2), nullable=True),
        sa.Column("lost_reason", sa.String(length=200), nullable=True),
        sa.Column("created_by", WHOLE, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "source IN ('hand', 'signup', 'import', 'form', 'api')", name=op.f("ck_lead_source")
        ),
        sa.CheckConstraint(
            "stage IN ('new', 'contacted', 'appointment', 'proposal', 'signed', 'won', 'lost')",
            name=op.f("ck_lead_stage"),
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_lead_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_lead_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_lead_customer_id_customer")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_lead_person_id_person")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_lead_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("origin", name=op.f("uq_lead_origin")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_public_id")),
    )
    op.create_index("ix_lead_consultant", "lead", ["consultant_id", "stage", "id"], unique=False)
    op.create_index(op.f("ix_lead_customer_id"), "lead", ["customer_id"], unique=False)
    op.create_index(op.f("ix_lead_person_id"), "lead", ["person_id"], unique=False)
    op.create_table(
        "lead_step",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("lead_id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("actor_id", WHOLE, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account_user.id"], name=op.f("fk_lead_step_actor_id_account_user")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_step_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_step")),
    )
    op.create_index("ix_lead_step_lead", "lead_step", ["lead_id", "id"], unique=False)
    op.create_table(
        "lead_task",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("lead_id", WHOLE, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("created_by", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account_user.id"], name=op.f("fk_lead_task_created_by_account_user")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_task_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_task")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_task_public_id")),
    )
    op.create_index(op.f("ix_lead_task_lead_id"), "lead_task", ["lead_id"], unique=False)
    op.create_table(
        "routing_rule",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("answer_hours", WHOLE, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.CheckConstraint("answer_hours > 0", name=op.f("ck_routing_rule_answer_hours")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account_user.id"], name=op.f("fk_routing_rule_decided_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_rule")),
    )
    op.create_table(
        "lead_offer",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("lead_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("rule_id", WHOLE, nullable=False),
        sa.Column("rank", WHOLE, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("offered_at", INSTANT, nullable=False),
        sa.Column("respond_by", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_lead_offer_state"),
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_lead_offer_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_offer_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["routing_rule.id"], name=op.f("fk_lead_offer_rule_id_routing_rule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_offer_public_id")),
    )
    op.create_index("ix_lead_offer_consultant", "lead_offer", ["consultant_id", "state"], unique=False)
    op.create_index("ix_lead_offer_due", "lead_offer", ["state", "respond_by"], unique=False)
    op.create_index(op.f("ix_lead_offer_lead_id"), "lead_offer", ["lead_id"], unique=False)
    op.create_table(
        "held_sale",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("contract_id", WHOLE, nullable=False),
        sa.Column("consultant_id", WHOLE, nullable=False),
        sa.Column("milestone", sa.String(length=64), nullable=False),
        sa.Column("volume", WHOLE, nullable=False),
        sa.Column("revenue_cents", WHOLE, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("held_at", INSTANT, nullable=False),
        sa.Column("settled_by", WHOLE, nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_note", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'released', 'refused', 'gone')", name=op.f("ck_held_sale_state")
        ),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultant.id"], name=op.f("fk_held_sale_consultant_id_consultant")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_held_sale_contract_id_contract")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["account_user.id"], name=op.f("fk_held_sale_settled_by_account_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_sale")),
        sa.UniqueConstraint("contract_id", "milestone", name=op.f("uq_held_sale_contract_id_milestone")),
        sa.UniqueConstraint("public_id", name=op.f("uq_held_sale_public_id")),
    )
    op.create_index("ix_held_sale_state", "held_sale", ["state", "consultant_id"], unique=False)
