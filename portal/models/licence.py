"""Licences of consultants, and how much of a consultant's own use counts."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Sealed, Whole

LICENCE_STATES = ("submitted", "verified", "rejected", "ended")


class Licence(Base):
    """A consultant may sell something in a state from a day to another; counts once somebody verified it.

    `reminded_days` is the smallest number of days before the end at which a reminder went out.
    """

    __tablename__ = "licence"
    __table_args__ = (
        CheckConstraint("state IN ('submitted', 'verified', 'rejected', 'ended')", name="state"),
        CheckConstraint("expires_on >= valid_from", name="length"),
        Index("ix_licence_consultant", "consultant_id", "kind", "region"),
        Index("ix_licence_expiry", "state", "expires_on"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    kind: Mapped[Code]
    region: Mapped[str] = mapped_column(String(2))
    number: Mapped[str] = mapped_column(Sealed)
    valid_from: Mapped[date] = mapped_column(Date)
    expires_on: Mapped[date] = mapped_column(Date)
    state: Mapped[Code]
    submitted_at: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[OptionalAt]
    decision: Mapped[str | None] = mapped_column(String(500))
    reminded_days: Mapped[int | None] = mapped_column(Whole)


class LicenceDocument(Base):
    """The file that proves a licence, apart from its row so that lists stay small."""

    __tablename__ = "licence_document"

    licence_id: Mapped[int] = mapped_column(Whole, ForeignKey("licence.id"), primary_key=True)
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class OwnUseRule(Base):
    """How much volume (hundredths) of a consultant's own household counts in a month, from a day on."""

    __tablename__ = "own_use_rule"
    __table_args__ = (CheckConstraint("monthly_volume >= 0", name="monthly_volume"),)

    id: Mapped[Id]
    valid_from: Mapped[date] = mapped_column(Date, unique=True)
    monthly_volume: Mapped[Number]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    decided_at: Mapped[At]
