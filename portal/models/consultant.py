"""Consultants: the pack they chose, their sponsor, their place in the binary tree."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.person import Person
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Text, Whole

PREFERENCES = ("weaker", "left", "right", "hand")
STATUSES = ("active", "suspended", "terminated")


class Pack(Base):
    """A registration plan: its price and what it opens. Data, edited by an admin."""

    __tablename__ = "pack"

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[Text]
    summary: Mapped[Text]
    price_cents: Mapped[Number]
    monthly_cents: Mapped[Number]
    position: Mapped[Number]
    features: Mapped[dict[str, object]] = mapped_column(JSON)

    @property
    def is_free(self) -> bool:
        return self.price_cents == 0 and self.monthly_cents == 0


class Consultant(Base):
    """A person in the network. `sponsor_id` is who enrolled them; the place is a `Placement`."""

    __tablename__ = "consultant"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'terminated')", name="status"),
        CheckConstraint("preference IN ('weaker', 'left', 'right', 'hand')", name="preference"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(String(16), unique=True)
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"), unique=True)
    sponsor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    pack: Mapped[str] = mapped_column(String(64), ForeignKey("pack.code"))
    status: Mapped[Code]
    preference: Mapped[Code]
    joined_at: Mapped[At]

    person: Mapped[Person] = relationship(lazy="joined")

    def name_for(self, viewer_id: int) -> str:
        """What a consultant calls them: the full name for their sponsor, else first name and initial."""
        known = viewer_id in (self.id, self.sponsor_id)
        return self.person.name if known else self.person.short_name


class Placement(Base):
    """Where a consultant stood, from when until when. One current row for each consultant and each spot."""

    __tablename__ = "placement"
    __table_args__ = (
        CheckConstraint("leg IN ('L', 'R')", name="leg"),
        CheckConstraint("(parent_id IS NULL) = (leg IS NULL)", name="parent_and_leg"),
        Index(
            "uq_placement_current_consultant",
            "consultant_id",
            unique=True,
            postgresql_where=text("valid_until IS NULL"),
            sqlite_where=text("valid_until IS NULL"),
        ),
        Index(
            "uq_placement_current_spot",
            "parent_id",
            "leg",
            unique=True,
            postgresql_where=text("valid_until IS NULL"),
            sqlite_where=text("valid_until IS NULL"),
        ),
        Index("ix_placement_consultant", "consultant_id", "valid_from"),
        Index("ix_placement_parent", "parent_id", "valid_from"),
    )

    id: Mapped[Id]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    parent_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    leg: Mapped[str | None] = mapped_column(String(1))
    valid_from: Mapped[At]
    valid_until: Mapped[OptionalAt]
