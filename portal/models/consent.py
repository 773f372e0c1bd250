"""What people agreed to, word for word, and who must not be contacted."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, OptionalAt, Text, Whole


class ConsentText(Base):
    """A version of what somebody agrees to, for one purpose (`signup`, `contact`)."""

    __tablename__ = "consent_text"

    version: Mapped[str] = mapped_column(String(32), primary_key=True)
    purpose: Mapped[Code]
    body: Mapped[Text]
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[At]


class Consent(Base):
    """A person's yes to one text, and when it was taken back. `source` is where it was given."""

    __tablename__ = "consent"

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"), index=True)
    purpose: Mapped[Code]
    text_version: Mapped[str] = mapped_column(String(32), ForeignKey("consent_text.version"))
    text_sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[Code]
    given_at: Mapped[At]
    withdrawn_at: Mapped[OptionalAt]


class ContactStop(Base):
    """An e-mail address or a phone number that nobody may contact, known by its mark alone."""

    __tablename__ = "contact_stop"
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'phone')", name="channel"),
        Index(
            "uq_contact_stop_current",
            "channel",
            "mark",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    channel: Mapped[Code]
    mark: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    asked_at: Mapped[At]
    ended_at: Mapped[OptionalAt]
