"""Moves of consultants to another place in the tree: asked for by one person, decided by another."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, OptionalAt, PublicId, Whole

MOVE_STATES = ("proposed", "approved", "rejected", "done", "refused")


class PlacementMove(Base):
    """A consultant with everybody below goes to another spot when the next cycle begins.

    `approved` waits for that moment; `refused` says that the spot was no longer possible then.
    """

    __tablename__ = "placement_move"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'done', 'refused')", name="state"),
        CheckConstraint("leg IN ('L', 'R')", name="leg"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_people"),
        Index(
            "uq_placement_move_waiting",
            "consultant_id",
            unique=True,
            postgresql_where=text("state IN ('proposed', 'approved')"),
            sqlite_where=text("state IN ('proposed', 'approved')"),
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    parent_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    leg: Mapped[str] = mapped_column(String(1))
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[Code]
    problem: Mapped[str | None] = mapped_column(String(500))
    proposed_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    proposed_at: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    decision: Mapped[str | None] = mapped_column(String(500))
    done_at: Mapped[OptionalAt]
