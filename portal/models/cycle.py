"""Cycles, the runs that compute them, and what a run found."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, Text, Whole

CYCLE_STATES = ("open", "ended", "previewed", "approved", "closed", "paid")
RHYTHMS = ("day", "week", "month")


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
    """A stretch of time `[starts_at, until)` that is paid as one: a day, a week or a month. One is open.

    `undo_until` is the last moment at which a close can be undone; `undo_requested_at` asks a job for it.
    `requested_by` asked for what waits for its job; `compare_run_id` computed the closed cycle once more.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'ended', 'previewed', 'approved', 'closed', 'paid')",
            name="state",
        ),
        CheckConstraint("starts_at < until", name="length"),
        CheckConstraint("rhythm IN ('day', 'week', 'month')", name="rhythm"),
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
    rhythm: Mapped[Code] = mapped_column(server_default="week")
    previous_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"), unique=True)
    plan_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_version.id"))
    preview_run_id: Mapped[OptionalNumber]
    close_run_id: Mapped[OptionalNumber]
    payout_batch_id: Mapped[OptionalNumber]
    preview_requested_at: Mapped[OptionalAt]
    close_requested_at: Mapped[OptionalAt]
    undo_requested_at: Mapped[OptionalAt]
    compare_requested_at: Mapped[OptionalAt]
    compare_run_id: Mapped[OptionalNumber]
    undo_until: Mapped[OptionalAt]
    requested_by: Mapped[OptionalNumber]
    refusal: Mapped[str | None] = mapped_column(String(1000))
    ended_at: Mapped[OptionalAt]
    closed_at: Mapped[OptionalAt]
    paid_at: Mapped[OptionalAt]

    plan_version: Mapped[PlanVersion] = relationship(lazy="joined")


class CycleRhythm(Base):
    """How long cycles are from an instant on; the first cycle that starts at or after it follows it.

    `replaced_at` is when another decision took the place of one that never came into force.
    """

    __tablename__ = "cycle_rhythm"
    __table_args__ = (CheckConstraint("rhythm IN ('day', 'week', 'month')", name="rhythm"),)

    id: Mapped[Id]
    rhythm: Mapped[Code]
    valid_from: Mapped[At]
    reason: Mapped[str | None] = mapped_column(String(500))
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[At]
    replaced_at: Mapped[OptionalAt]


class Run(Base):
    """One computation of one cycle: its inputs as they were, and the hashes of what went in and came out.

    `ids` says which consultant and which sale stands behind each index of the inputs; both may be large and
    are read when they are first asked for. `breakage` says what was lost to whom by which rule; `stages` how
    long each step took, in milliseconds; `taken` the cents that its claw-backs took out of each hold, by the
    id of the release, so that it can be undone. A run of purpose `import` holds the lines of a cycle that
    another system closed; it has no inputs. One of purpose `compare` computes a closed cycle again from the
    facts of that day; it waits for its job while it is not calculated, and books nothing.
    """

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("purpose IN ('preview', 'close', 'import', 'compare')", name="purpose"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), index=True)
    purpose: Mapped[Code]
    plan_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_version.id"))
    inputs: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_group="frozen")
    input_hash: Mapped[str] = mapped_column(String(64))
    output_hash: Mapped[str | None] = mapped_column(String(64))
    ids: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group="frozen")
    plan_sha256: Mapped[str | None] = mapped_column(String(64))
    code_version: Mapped[str | None] = mapped_column(String(64))
    totals: Mapped[dict[str, object] | None] = mapped_column(JSON)
    breakage: Mapped[dict[str, object] | None] = mapped_column(JSON)
    stages: Mapped[dict[str, object] | None] = mapped_column(JSON)
    taken: Mapped[dict[str, object] | None] = mapped_column(JSON)
    requested_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    frozen_at: Mapped[At]
    calculated_at: Mapped[OptionalAt]
    posted_at: Mapped[OptionalAt]
    undone_at: Mapped[OptionalAt]
    undone_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    undo_reason: Mapped[str | None] = mapped_column(String(500))


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
