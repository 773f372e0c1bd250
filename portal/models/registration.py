"""Registrations: from the first form to the paid pack, with the agreement that was accepted."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.person import Person
from portal.models.types import At, Code, Id, OptionalAt, PublicId, Text, Whole

REGISTRATION_STATES = ("started", "complete", "expired", "duplicate", "settled")


class Agreement(Base):
    """A version of the consultant agreement, word for word."""

    __tablename__ = "agreement"

    version: Mapped[str] = mapped_column(String(32), primary_key=True)
    body: Mapped[Text]
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[At]


class Registration(Base):
    """Somebody on the way to become a consultant."""

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint("state IN ('started', 'complete', 'expired', 'duplicate', 'settled')", name="state"),
        CheckConstraint("state IN ('started', 'expired') OR agreed_at IS NOT NULL", name="agreed"),
        CheckConstraint("leg_wish IS NULL OR leg_wish IN ('L', 'R')", name="leg_wish"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"))
    password_hash: Mapped[Text]
    pack: Mapped[str] = mapped_column(String(64), ForeignKey("pack.code"))
    sponsor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    leg_wish: Mapped[str | None] = mapped_column(String(1))
    agreement_version: Mapped[str | None] = mapped_column(String(32), ForeignKey("agreement.version"))
    agreement_sha256: Mapped[str | None] = mapped_column(String(64))
    agreed_at: Mapped[OptionalAt]
    state: Mapped[Code]
    checkout_session: Mapped[str | None] = mapped_column(String(255), index=True)
    consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    started_at: Mapped[At]
    completed_at: Mapped[OptionalAt]

    person: Mapped[Person] = relationship(lazy="joined")
