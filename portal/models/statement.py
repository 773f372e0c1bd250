"""Vendors' daily statements, and where they differ from what their events said."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Whole
from portal.models.vendor import Vendor

DIFFERENCE_KINDS = ("missing", "extra", "different")


class StatementMapping(Base):
    """Which column of a vendor's CSV means what, kept from one upload to the next."""

    __tablename__ = "statement_mapping"
    __table_args__ = (UniqueConstraint("vendor_id", "name"),)

    id: Mapped[Id]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    name: Mapped[str] = mapped_column(String(100))
    columns: Mapped[dict[str, str]] = mapped_column(JSON)
    changed_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    changed_at: Mapped[At]


class Statement(Base):
    """What a vendor says happened on one day, as it was sent; a later one for the same day replaces it."""

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint("source IN ('api', 'csv')", name="source"),
        UniqueConstraint("vendor_id", "day", "sha256"),
        Index("ix_statement_vendor_day", "vendor_id", "day"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    day: Mapped[date] = mapped_column(Date)
    source: Mapped[Code]
    file_name: Mapped[str | None] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    received_at: Mapped[At]
    compared_at: Mapped[OptionalAt]
    replaced_at: Mapped[OptionalAt]

    vendor: Mapped[Vendor] = relationship(lazy="joined")


class StatementLine(Base):
    """One line of a statement: a milestone (or a renewal's month) of one contract.

    Sizes in thousandths, money in cents, the refunded share of the price in ten-thousandths; None where the
    vendor does not say. `signed_on` and `sold_in` stand where a contract may be unknown here.
    """

    __tablename__ = "statement_line"
    __table_args__ = (UniqueConstraint("statement_id", "line"),)

    id: Mapped[Id]
    statement_id: Mapped[int] = mapped_column(Whole, ForeignKey("statement.id"))
    line: Mapped[Number]
    type: Mapped[Code]
    contract_ref: Mapped[str] = mapped_column(String(100))
    customer_ref: Mapped[str | None] = mapped_column(String(100))
    consultant_code: Mapped[str | None] = mapped_column(String(16))
    service_code: Mapped[str | None] = mapped_column(String(64))
    period: Mapped[str | None] = mapped_column(String(7))
    occurred_at: Mapped[At]
    size_thousandths: Mapped[OptionalNumber]
    revenue_cents: Mapped[OptionalNumber]
    signed_on: Mapped[date | None] = mapped_column(Date)
    sold_in: Mapped[str | None] = mapped_column(String(2))
    share: Mapped[OptionalNumber]


class StatementDifference(Base):
    """Where statement and events disagree; open until a person settles it with one of its choices.

    `missing` stands in the statement and never came as an event, `extra` came and does not stand there,
    `different` differs in `fields`. `event_id` is the event that settling it made.
    """

    __tablename__ = "statement_difference"
    __table_args__ = (
        CheckConstraint("kind IN ('missing', 'extra', 'different')", name="kind"),
        Index("ix_statement_difference_open", "statement_id", "settled_at"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    statement_id: Mapped[int] = mapped_column(Whole, ForeignKey("statement.id"))
    line_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("statement_line.id"))
    fact_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("contract_fact.id"))
    kind: Mapped[Code]
    contract_ref: Mapped[str] = mapped_column(String(100))
    type: Mapped[Code]
    fields: Mapped[dict[str, object]] = mapped_column(JSON)
    choice: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(String(500))
    event_id: Mapped[str | None] = mapped_column(String(255))
    settled_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    settled_at: Mapped[OptionalAt]


class StatementQuestion(Base):
    """What the company asked a vendor about a difference, and the vendor's answer; one waits at a time."""

    __tablename__ = "statement_question"
    __table_args__ = (Index("ix_statement_question_difference", "difference_id", "answered_at"),)

    id: Mapped[Id]
    difference_id: Mapped[int] = mapped_column(Whole, ForeignKey("statement_difference.id"))
    text: Mapped[str] = mapped_column(String(500))
    asked_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    asked_at: Mapped[At]
    answer: Mapped[str | None] = mapped_column(String(500))
    answered_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    answered_at: Mapped[OptionalAt]
