"""Where a run leaves people: what they carry into the next cycle, and the rank they are paid as."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import Code, Number, Whole


class Carry(Base):
    """What a run hands on to the next cycle, and the leg volumes behind it; all volumes in hundredths."""

    __tablename__ = "carry"

    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    new_left: Mapped[Number]
    new_right: Mapped[Number]
    left: Mapped[Number] = mapped_column("carry_left", Whole)
    right: Mapped[Number] = mapped_column("carry_right", Whole)
    taken_left: Mapped[Number]
    taken_right: Mapped[Number]
    expired_left: Mapped[Number]
    expired_right: Mapped[Number]
    restored: Mapped[Number]
    matched_to_date: Mapped[Number]
    paid_to_date_cents: Mapped[Number]
    inactive_cycles: Mapped[Number]


class PaidRank(Base):
    """The paid-as rank that a run gave a consultant; no row where none was reached."""

    __tablename__ = "paid_rank"

    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    place: Mapped[Number]
    code: Mapped[Code]
