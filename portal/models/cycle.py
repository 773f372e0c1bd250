"""Cycles, the runs that compute them, and what a run found."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, Text, Whole

CYCLE_STATES = ("open", "ended", "previewed", "approved", "closed", "paid")


class PlanVersion(Base):
    """A pay plan document. Once a cycle was closed with it, it never changes."""

    __tablename__ = "plan_version"

    id: Mapped[Id]
    name: Mapped[Text]
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[At]
    created_at: Mapped[At]


class Cycle(Base):
    """A pay week `[starts_at, until)`. Exactly one is open."""

    __tablename__ = "cycle"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'ended', 'previewed', 'approved', 'closed', 'paid')",
            name="state",
        ),
        CheckConstraint("starts_at < until", name="length"),
        Index(
            "uq_cycle_open",
            "state",
            unique=True,
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(16), unique=True)
    starts_at: Mapped[At] = mapped_column(unique=True)
    until: Mapped[At]
    state: Mapped[Code]
    previous_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"), unique=True)
    plan_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_version.id"))
    preview_run_id: Mapped[OptionalNumber]
    close_run_id: Mapped[OptionalNumber]
    payout_batch_id: Mapped[OptionalNumber]
    preview_requested_at: Mapped[OptionalAt]
    close_requested_at: Mapped[OptionalAt]
    refusal: Mapped[str | None] = mapped_column(String(1000))
    ended_at: Mapped[OptionalAt]
    closed_at: Mapped[OptionalAt]
    paid_at: Mapped[OptionalAt]

    plan_version: Mapped[PlanVersion] = relationship(lazy="joined")


class Run(Base):
    """One computation of one cycle: its inputs as they were, and the hashes of what went in and came out."""

    __tablename__ = "run"
    __table_args__ = (CheckConstraint("purpose IN ('preview', 'close')", name="purpose"),)

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), index=True)
    purpose: Mapped[Code]
    plan_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_version.id"))
    inputs: Mapped[bytes] = mapped_column(LargeBinary)
    input_hash: Mapped[str] = mapped_column(String(64))
    output_hash: Mapped[str | None] = mapped_column(String(64))
    totals: Mapped[dict[str, object] | None] = mapped_column(JSON)
    frozen_at: Mapped[At]
    calculated_at: Mapped[OptionalAt]
    posted_at: Mapped[OptionalAt]


class Approval(Base):
    """One person's yes to one run, by its output hash. A new preview leaves it without effect."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("run_id", "user_id"),)

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    output_hash: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[At]


class CommissionLine(Base):
    """One line of a run: who, for what, on what base, how much."""

    __tablename__ = "commission_line"
    __table_args__ = (Index("ix_commission_line_run_consultant", "run_id", "consultant_id"),)

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    kind: Mapped[Code]
    amount_cents: Mapped[Number]
    base: Mapped[Number]
    sale_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("sale.id"), index=True)
    source_consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    level: Mapped[Number]


class Carry(Base):
    """What a run hands on to the next cycle, and the leg volumes behind it; all volumes in hundredths."""

    __tablename__ = "carry"

    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    new_left: Mapped[Number]
    new_right: Mapped[Number]
    left: Mapped[Number] = mapped_column("carry_left", Whole)
    right: Mapped[Number] = mapped_column("carry_right", Whole)
    taken_left: Mapped[Number]
    taken_right: Mapped[Number]
    expired_left: Mapped[Number]
    expired_right: Mapped[Number]
    restored: Mapped[Number]
    matched_to_date: Mapped[Number]
    paid_to_date_cents: Mapped[Number]
    inactive_cycles: Mapped[Number]
