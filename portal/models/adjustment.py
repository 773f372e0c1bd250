"""Corrections of a wallet by hand: proposed by one person with a reason, decided by another."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Whole

ADJUSTMENT_KINDS = ("correction", "write_off")
ADJUSTMENT_STATES = ("proposed", "approved", "rejected")


class Adjustment(Base):
    """Cents to be given (above 0) or taken (below 0), or a debt to be written off, with its reason."""

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("kind IN ('correction', 'write_off')", name="kind"),
        CheckConstraint("state IN ('proposed', 'approved', 'rejected')", name="state"),
        CheckConstraint("amount_cents <> 0", name="amount"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'approved') = (entry_id IS NOT NULL)", name="booked"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    key: Mapped[str] = mapped_column(String(100), unique=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    cycle_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("cycle.id"))
    kind: Mapped[Code]
    amount_cents: Mapped[Number]
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[Code]
    proposed_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    proposed_at: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    decision: Mapped[str | None] = mapped_column(String(500))
    entry_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("entry.id"), unique=True)
