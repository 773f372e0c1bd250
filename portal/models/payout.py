"""Holds on earned money, withdrawals, and the files that pay them by hand."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Blob, Code, Id, Number, OptionalAt, PublicId, Whole

WITHDRAWAL_STATES = (
    "requested",
    "approved",
    "exported",
    "queued",
    "sending",
    "resolving",
    "review",
    "sent",
    "paid",
    "rejected",
    "cancelled",
    "failed",
    "returned",
)
OPEN_STATES = ("requested", "approved", "exported", "queued", "sending", "resolving", "review")
BATCH_STATES = ("exported", "confirmed", "void")
_HELD = text("released_at IS NULL")


class Release(Base):
    """A pending credit that becomes available on `due_on`, less what was clawed back before."""

    __tablename__ = "release"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("clawed_cents >= 0 AND clawed_cents <= amount_cents", name="clawed"),
        Index("ix_release_held", "consultant_id", postgresql_where=_HELD, sqlite_where=_HELD),
        Index("ix_release_due", "due_on", "id", postgresql_where=_HELD, sqlite_where=_HELD),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(Whole, ForeignKey("entry.id"), unique=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"))
    amount_cents: Mapped[Number]
    clawed_cents: Mapped[Number]
    due_on: Mapped[date] = mapped_column(Date)
    released_at: Mapped[OptionalAt]


class PayoutBatch(Base):
    """Withdrawals exported together, to be paid by hand."""

    __tablename__ = "payout_batch"
    __table_args__ = (CheckConstraint("state IN ('exported', 'confirmed', 'void')", name="state"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cycle_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"))
    state: Mapped[Code]
    count: Mapped[Number]
    sum_cents: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    method_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_method.id"))
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    confirmed_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    confirmed_at: Mapped[OptionalAt]


class PayoutFile(Base):
    """A batch in one format (`csv`, `xlsx`, `nacha`): written once, the same byte for byte ever after."""

    __tablename__ = "payout_file"
    __table_args__ = (UniqueConstraint("batch_id", "format"),)

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(Whole, ForeignKey("payout_batch.id"))
    format: Mapped[Code]
    content: Mapped[Blob]
    sha256: Mapped[str] = mapped_column(String(64))


class ResultLine(Base):
    """A line of a bank's result file, and what is wrong with it; a `problem` waits in suspense."""

    __tablename__ = "payout_result_line"
    __table_args__ = (CheckConstraint("outcome IN ('paid', 'failed', 'unread')", name="outcome"),)

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(Whole, ForeignKey("payout_batch.id"), index=True)
    line: Mapped[Number]
    reference: Mapped[str] = mapped_column(String(100))
    amount: Mapped[str] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[Code]
    reason: Mapped[str | None] = mapped_column(String(500))
    problem: Mapped[str | None] = mapped_column(String(500))
    imported_at: Mapped[At]
    imported_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    settled_at: Mapped[OptionalAt]
    settled_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))


class PayoutSelection(Base):
    """Whom the company wants to pay: found by criteria, made by one person, approved by another."""

    __tablename__ = "payout_selection"
    __table_args__ = (CheckConstraint("state IN ('draft', 'made', 'dropped')", name="state"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cycle_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"))
    criteria: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[Code]
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    made_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    made_at: Mapped[OptionalAt]


class PayoutSelectionLine(Base):
    """One consultant of a selection; an `excluded_reason` keeps them out."""

    __tablename__ = "payout_selection_line"
    __table_args__ = (UniqueConstraint("selection_id", "consultant_id"),)

    id: Mapped[Id]
    selection_id: Mapped[int] = mapped_column(Whole, ForeignKey("payout_selection.id"))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    amount_cents: Mapped[Number]
    excluded_reason: Mapped[str | None] = mapped_column(String(500))
    excluded_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))


class Withdrawal(Base):
    """Money a consultant asked for, or the company set in motion; reserved until it is paid or returned.

    Of `amount_cents` the consultant receives what is left after the fee and the tax withheld. Method,
    destination and amounts are frozen when it is approved. `generation` counts the keys under which a
    provider was asked; `absent_count` and `absent_at` how often, and since when, a look-up found nothing.
    `arrival_ref` is the provider's payment to the bank that carries it; `proposal` what one person wants done
    about one in review, until a second says yes; `stuck_at` since when money that the bank refused does not
    come back, so that people have to decide.
    """

    __tablename__ = "withdrawal"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'approved', 'exported', 'queued', 'sending', 'resolving', 'review',"
            " 'sent', 'paid', 'rejected', 'cancelled', 'failed', 'returned')",
            name="state",
        ),
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint(
            "fee_cents >= 0 AND withheld_cents >= 0 AND fee_cents + withheld_cents < amount_cents",
            name="deductions",
        ),
        Index("ix_withdrawal_state", "state", "id"),
        Index("ix_withdrawal_due", "state", "next_at"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    key: Mapped[str] = mapped_column(String(100), unique=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    amount_cents: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[Code]
    method_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_method.id"), index=True)
    destination_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_destination.id"))
    fee_cents: Mapped[Number] = mapped_column(server_default="0")
    withheld_cents: Mapped[Number] = mapped_column(server_default="0")
    selection_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_selection.id"), index=True)
    reserve_entry_id: Mapped[int] = mapped_column(Whole, ForeignKey("entry.id"), unique=True)
    batch_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_batch.id"), index=True)
    requested_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    requested_at: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    reason: Mapped[str | None] = mapped_column(String(500))
    settled_at: Mapped[OptionalAt]
    provider_ref: Mapped[str | None] = mapped_column(String(255), unique=True)
    generation: Mapped[Number] = mapped_column(server_default="0")
    absent_count: Mapped[Number] = mapped_column(server_default="0")
    absent_at: Mapped[OptionalAt]
    next_at: Mapped[OptionalAt]
    arrival_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    stuck_at: Mapped[OptionalAt]
    proposal: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def net_cents(self) -> int:
        """What reaches the consultant, in cents."""
        return self.amount_cents - self.fee_cents - self.withheld_cents
