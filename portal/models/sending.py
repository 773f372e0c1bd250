"""Automatic payouts: each attempt written down before the call, stops, and the daily match."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, Whole

OUTCOMES = ("accepted", "rejected", "retry_later", "unknown")


class PayoutAttempt(Base):
    """One call to a provider for one withdrawal, committed before the call is made."""

    __tablename__ = "payout_attempt"
    __table_args__ = (
        UniqueConstraint("withdrawal_id", "number"),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('accepted', 'rejected', 'retry_later', 'unknown')", name="outcome"
        ),
        Index(
            "uq_payout_attempt_open",
            "withdrawal_id",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
            sqlite_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[Id]
    withdrawal_id: Mapped[int] = mapped_column(Whole, ForeignKey("withdrawal.id"))
    number: Mapped[Number]
    generation: Mapped[Number]
    key: Mapped[str] = mapped_column(String(200), index=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[At]
    outcome: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[OptionalAt]
    provider_ref: Mapped[str | None] = mapped_column(String(255))
    error: Mapped[str | None] = mapped_column(String(1000))


class PayoutStop(Base):
    """While a stop stands, nothing is sent or exported; a person lifts it and says why."""

    __tablename__ = "payout_stop"
    __table_args__ = (
        Index(
            "uq_payout_stop_standing",
            "cause",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
            sqlite_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    cause: Mapped[Code]
    detail: Mapped[str] = mapped_column(String(1000))
    since: Mapped[At]
    lifted_at: Mapped[OptionalAt]
    lifted_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    lift_reason: Mapped[str | None] = mapped_column(String(500))


class PayoutMatch(Base):
    """One comparison of withdrawals, books and a provider's transfers; `differences` without a partner.

    `there_cents` is all the money that the provider says it has of ours, `booked_cents` what the books say at
    the same time; both None where the provider does not tell.
    """

    __tablename__ = "payout_match"

    id: Mapped[Id]
    method_id: Mapped[int] = mapped_column(Whole, ForeignKey("payout_method.id"), index=True)
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date)
    checked_at: Mapped[At]
    compared: Mapped[Number]
    sum_cents: Mapped[Number]
    differences: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    there_cents: Mapped[OptionalNumber]
    booked_cents: Mapped[OptionalNumber]
