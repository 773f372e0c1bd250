"""Who said yes to a run, and why a figure of it was let pass."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Id, Whole


class Approval(Base):
    """One person's yes to one run, by its output hash. A new preview leaves it without effect."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("run_id", "user_id"),)

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    output_hash: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[At]


class CheckReason(Base):
    """Why a check of a run that warns may be passed over, in the words of the person who answers for it.

    It speaks of one `figure`, what the check had counted; another figure needs another reason.
    """

    __tablename__ = "check_reason"
    __table_args__ = (UniqueConstraint("run_id", "check_code", "figure"),)

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(Whole, ForeignKey("run.id"))
    check: Mapped[str] = mapped_column("check_code", String(64))
    figure: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(500))
    written_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    written_at: Mapped[At]
