"""A company that arrives from another system: what was imported, and its old lines beside ours."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Text, Whole


class ImportedFiles(Base):
    """One import that was taken over as a whole: its files with their hashes, and how many rows of each."""

    __tablename__ = "imported_files"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    files: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    made_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    made_at: Mapped[At]


class PastVolume(Base):
    """Personal volume, in hundredths, of a cycle that another system closed; its sales are not known here."""

    __tablename__ = "past_volume"

    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    volume: Mapped[Number]


class Comparison(Base):
    """The lines that another system found for a cycle, put beside those of one of our runs.

    While `requested_at` stands a job has yet to do it; `problem` says why it could not be done.
    """

    __tablename__ = "comparison"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"), index=True)
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    file_name: Mapped[Text]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    totals: Mapped[dict[str, object]] = mapped_column(JSON)
    made_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    made_at: Mapped[At]
    requested_at: Mapped[OptionalAt]
    problem: Mapped[str | None] = mapped_column(String(1000))


class ComparedLine(Base):
    """One difference of a comparison, in cents; None where a side has no such line.

    `reason` is a code that the page puts into words, with the numbers of `detail`. A person may settle it.
    """

    __tablename__ = "compared_line"
    __table_args__ = (
        Index("ix_compared_line_comparison", "comparison_id", "id"),
        CheckConstraint("theirs_cents IS NOT NULL OR ours_cents IS NOT NULL", name="one_side"),
    )

    id: Mapped[Id]
    comparison_id: Mapped[int] = mapped_column(Whole, ForeignKey("comparison.id"))
    consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    code: Mapped[str] = mapped_column(String(100))
    kind: Mapped[Code]
    theirs_cents: Mapped[OptionalNumber]
    ours_cents: Mapped[OptionalNumber]
    reason: Mapped[Code]
    detail: Mapped[dict[str, object]] = mapped_column(JSON)
    settled_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    settled_at: Mapped[OptionalAt]
    settled_note: Mapped[str | None] = mapped_column(String(500))
