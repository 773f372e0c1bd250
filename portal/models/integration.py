"""Other systems: tokens they call with, endpoints we call, forms they embed."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Sealed, Whole

# Written out, so that the indexes of these rows alone are used.
WAITS = text("state IN ('new', 'retry')")
LEASED = text("lease_until IS NOT NULL")


class ApiToken(Base):
    """A token of a user with scopes; shown once, kept as its SHA-256. It may never do more than its user."""

    __tablename__ = "api_token"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[At]
    expires_at: Mapped[OptionalAt]
    used_at: Mapped[OptionalAt]
    revoked_at: Mapped[OptionalAt]


class ApiRequest(Base):
    """A lead that a token's user sent under a key of theirs: the same key brings the same lead again."""

    __tablename__ = "api_request"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    key: Mapped[str] = mapped_column(String(100))
    body_sha256: Mapped[str] = mapped_column(String(64))
    lead_id: Mapped[int] = mapped_column(Whole, ForeignKey("lead.id"))
    created_at: Mapped[At]


class WebhookEndpoint(Base):
    """An address that is told of facts: all of the company's, a consultant's own, or a vendor's own.

    `kinds` are names of events; `failures` counts in a row, and too many switch it off. While a secret is
    exchanged, messages are signed with the old one too.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (CheckConstraint("consultant_id IS NULL OR vendor_id IS NULL", name="one_owner"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    vendor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("vendor.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(Sealed)
    old_secret: Mapped[str | None] = mapped_column(Sealed)
    old_secret_until: Mapped[OptionalAt]
    kinds: Mapped[list[str]] = mapped_column(JSON)
    failures: Mapped[Number] = mapped_column(server_default="0")
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    disabled_at: Mapped[OptionalAt]
    disabled_reason: Mapped[str | None] = mapped_column(String(200))


class WebhookDelivery(Base):
    """One event for one endpoint: the same body and id however often it is sent."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_key"),
        CheckConstraint("state IN ('new', 'retry', 'done', 'dead')", name="state"),
        Index(
            "ix_webhook_delivery_turn",
            "endpoint_id",
            "next_at",
            "id",
            postgresql_where=WAITS,
            sqlite_where=WAITS,
        ),
        Index("ix_webhook_delivery_lease", "lease_until", postgresql_where=LEASED, sqlite_where=LEASED),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    endpoint_id: Mapped[int] = mapped_column(Whole, ForeignKey("webhook_endpoint.id"))
    event_key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[Code]
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[Code]
    attempts: Mapped[Number]
    next_at: Mapped[At]
    lease_until: Mapped[OptionalAt]
    status_code: Mapped[OptionalNumber]
    answer: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[At]
    done_at: Mapped[OptionalAt]

    endpoint: Mapped[WebhookEndpoint] = relationship(lazy="joined")


class LeadForm(Base):
    """A form for a page elsewhere; only `origins` may post to it, all where empty."""

    __tablename__ = "lead_form"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("service.id"))
    name: Mapped[str] = mapped_column(String(100))
    origins: Mapped[list[str]] = mapped_column(JSON)
    ask_phone: Mapped[bool] = mapped_column(Boolean)
    thanks_url: Mapped[str | None] = mapped_column(String(500))
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    ended_at: Mapped[OptionalAt]
