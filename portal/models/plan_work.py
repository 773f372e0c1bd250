"""Pay plans in the making: drafts, their way to going live, and trials of them on past cycles."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Text, Whole

DRAFT_STATES = ("draft", "proposed", "live", "discarded")
TRIAL_STATES = ("waiting", "running", "done", "cancelled", "failed")


class PlanDraft(Base):
    """A pay plan that is being written. It goes live as a `PlanVersion`, by the yes of a second person.

    `starts_at` is the start of the cycle from which it is meant to hold; `document` may still have faults;
    `answers` says by code why a warning of the plan check may be passed over.
    """

    __tablename__ = "plan_draft"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'proposed', 'live', 'discarded')", name="state"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'live') = (plan_version_id IS NOT NULL)", name="live"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[Text]
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    based_on_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("plan_version.id"))
    state: Mapped[Code]
    starts_at: Mapped[OptionalAt]
    reason: Mapped[str | None] = mapped_column(String(500))
    answers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    made_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    made_at: Mapped[At]
    changed_at: Mapped[At]
    proposed_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    proposed_at: Mapped[OptionalAt]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    decision: Mapped[str | None] = mapped_column(String(500))
    plan_version_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("plan_version.id"), unique=True)


class Trial(Base):
    """A plan document tried on past cycles; it books nothing. `document` is the draft of that moment."""

    __tablename__ = "plan_trial"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name="state"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    plan_draft_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_draft.id"), index=True)
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[Code]
    problem: Mapped[str | None] = mapped_column(String(1000))
    requested_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    requested_at: Mapped[At]
    cancel_requested_at: Mapped[OptionalAt]
    finished_at: Mapped[OptionalAt]


class TrialCycle(Base):
    """One past cycle of a trial: the totals of its close and those that the draft gives.

    `handed_on` is what the next cycle goes on with, so that a trial that was killed goes on where it was.
    """

    __tablename__ = "plan_trial_cycle"

    trial_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_trial.id"), primary_key=True)
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), primary_key=True)
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    before: Mapped[dict[str, object] | None] = mapped_column(JSON)
    after: Mapped[dict[str, object] | None] = mapped_column(JSON)
    handed_on: Mapped[bytes | None] = mapped_column(LargeBinary)
    done_at: Mapped[OptionalAt]


class TrialPerson(Base):
    """What one consultant got in the cycles of a trial and would have got by the draft, in cents."""

    __tablename__ = "plan_trial_person"
    __table_args__ = (Index("ix_plan_trial_person_change", "trial_id", "change_cents"),)

    trial_id: Mapped[int] = mapped_column(Whole, ForeignKey("plan_trial.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    before_cents: Mapped[Number]
    after_cents: Mapped[Number]
    change_cents: Mapped[Number]
