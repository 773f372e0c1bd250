"""Holds on earned money, withdrawals, and the batches that pay them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Whole

WITHDRAWAL_STATES = ("requested", "approved", "exported", "paid", "rejected", "cancelled", "returned")
BATCH_STATES = ("exported", "confirmed", "void")


class Release(Base):
    """A pending credit that becomes available on `due_on`, less what was clawed back before."""

    __tablename__ = "release"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("clawed_cents >= 0 AND clawed_cents <= amount_cents", name="clawed"),
        Index("ix_release_due", "released_at", "due_on"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(Whole, ForeignKey("entry.id"), unique=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), index=True)
    amount_cents: Mapped[Number]
    clawed_cents: Mapped[Number]
    due_on: Mapped[date] = mapped_column(Date)
    released_at: Mapped[OptionalAt]


class PayoutBatch(Base):
    """Withdrawals exported together: the file is written once and stays the same byte for byte."""

    __tablename__ = "payout_batch"
    __table_args__ = (CheckConstraint("state IN ('exported', 'confirmed', 'void')", name="state"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cycle_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"))
    state: Mapped[Code]
    count: Mapped[Number]
    sum_cents: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    file: Mapped[bytes] = mapped_column(LargeBinary)
    file_sha256: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    confirmed_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    confirmed_at: Mapped[OptionalAt]


class Withdrawal(Base):
    """Money a consultant asked for, or the company set in motion; reserved until it is paid or returned."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'approved', 'exported', 'paid', 'rejected', 'cancelled', 'returned')",
            name="state",
        ),
        CheckConstraint("amount_cents > 0", name="amount"),
        Index("ix_withdrawal_state", "state", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    key: Mapped[str] = mapped_column(String(100), unique=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    amount_cents: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[Code]
    reserve_entry_id: Mapped[int] = mapped_column(Whole, ForeignKey("entry.id"), unique=True)
    batch_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("payout_batch.id"), index=True)
    requested_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    requested_at: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    reason: Mapped[str | None] = mapped_column(String(500))
    settled_at: Mapped[OptionalAt]
