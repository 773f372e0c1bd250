"""What the rules of a plan took from consultants in a run."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import Code, Number, Whole


class Loss(Base):
    """What one rule took from one consultant: volume of both legs in hundredths, cents; none for nothing.

    `held_cents` was not paid because of the rule either, but the volume for it is carried on.
    """

    __tablename__ = "loss"
    __table_args__ = (Index("ix_loss_run_cents", "run_id", "cents"),)

    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"), primary_key=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), primary_key=True)
    rule: Mapped[Code] = mapped_column(primary_key=True)
    left: Mapped[Number] = mapped_column("volume_left", Whole)
    right: Mapped[Number] = mapped_column("volume_right", Whole)
    cents: Mapped[Number]
    held_cents: Mapped[Number]
