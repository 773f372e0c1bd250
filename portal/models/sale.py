"""Customers, their contracts, and the sales that came of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Sequence, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.person import Person
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Whole
from portal.models.vendor import Service, Vendor

CONTRACT_STATES = ("registered", "signed", "installed", "active", "cancelled")


class Customer(Base):
    """A vendor's customer, known to the vendor by `ref`, credited to one consultant."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("vendor_id", "ref"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    ref: Mapped[str] = mapped_column(String(100))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("person.id"))
    registered_at: Mapped[At]

    vendor: Mapped[Vendor] = relationship(lazy="joined")
    person: Mapped[Person | None] = relationship(lazy="joined")


class Contract(Base):
    """One service of one customer, under the terms of the day it was signed."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("vendor_id", "ref"),
        CheckConstraint(
            "state IN ('registered', 'signed', 'installed', 'active', 'cancelled')", name="state"
        ),
    )

    id: Mapped[Id]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    ref: Mapped[str] = mapped_column(String(100))
    customer_id: Mapped[int] = mapped_column(Whole, ForeignKey("customer.id"), index=True)
    service_id: Mapped[int] = mapped_column(Whole, ForeignKey("service.id"))
    terms_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("terms_version.id"))
    size_thousandths: Mapped[Number]
    state: Mapped[Code]
    signed_on: Mapped[date] = mapped_column(Date)
    sold_in: Mapped[str | None] = mapped_column(String(2))
    buyer_age: Mapped[OptionalNumber]
    cooling_off_until: Mapped[date | None] = mapped_column(Date)
    activated_at: Mapped[OptionalAt]
    cancelled_at: Mapped[OptionalAt]

    customer: Mapped[Customer] = relationship(lazy="joined")
    service: Mapped[Service] = relationship(lazy="joined")


class Sale(Base):
    """Volume and revenue of one milestone of one contract; append-only, guarded by the database.

    A cancellation is a further sale with negative numbers that names what it `reverses_id`. `cause` is the
    business key that lets one transition of one contract be written once. On PostgreSQL the table has a
    column `txid` before `id`, so that the transaction has its number before the sale has one.
    """

    __tablename__ = "sale"
    __table_args__ = (
        CheckConstraint(
            "(reverses_id IS NULL AND volume >= 0 AND revenue_cents >= 0)"
            " OR (reverses_id IS NOT NULL AND volume <= 0 AND revenue_cents <= 0)",
            name="sign",
        ),
        Index("ix_sale_cycle_consultant", "cycle_id", "consultant_id"),
        Index("ix_sale_consultant", "consultant_id", "id"),
    )

    id: Mapped[int] = mapped_column(Whole, Sequence("sale_id_seq", cache=1), primary_key=True)
    public_id: Mapped[PublicId]
    cycle_id: Mapped[int] = mapped_column(Whole, ForeignKey("cycle.id"))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    contract_id: Mapped[int] = mapped_column(Whole, ForeignKey("contract.id"), index=True)
    milestone: Mapped[Code]
    volume: Mapped[Number]
    revenue_cents: Mapped[Number]
    occurred_at: Mapped[At]
    recorded_at: Mapped[At]
    reverses_id: Mapped[OptionalNumber] = mapped_column(Whole, ForeignKey("sale.id"), index=True)
    cause: Mapped[str] = mapped_column(String(200), unique=True)

    contract: Mapped[Contract] = relationship(lazy="joined")
