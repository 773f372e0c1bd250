"""Customers, their contracts, and the sales that came of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Sequence,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.person import Person
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Whole
from portal.models.vendor import Service, Vendor

CONTRACT_STATES = ("registered", "signed", "installed", "active", "suspended", "cancelled")
HELD_STATES = ("held", "released", "refused", "gone")


class Customer(Base):
    """A vendor's customer, known to the vendor by `ref`, credited to one consultant.

    `own_use` marks the consultant's own household; `verified_at` is when somebody other than the consultant
    vouched for the customer, as `verified_by` says (`vendor`, `order`, `signup`, `admin`).
    """

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("vendor_id", "ref"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    ref: Mapped[str] = mapped_column(String(100))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("person.id"))
    registered_at: Mapped[At]
    own_use: Mapped[bool] = mapped_column(Boolean, server_default=false())
    verified_at: Mapped[OptionalAt]
    verified_by: Mapped[str | None] = mapped_column(String(64))

    vendor: Mapped[Vendor] = relationship(lazy="joined")
    person: Mapped[Person | None] = relationship(lazy="joined")


class Contract(Base):
    """One service of one customer, under the terms of the day it was signed as far as it is known now."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("vendor_id", "ref"),
        CheckConstraint(
            "state IN ('registered', 'signed', 'installed', 'active', 'suspended', 'cancelled')", name="state"
        ),
        CheckConstraint("refunded_share >= 0 AND refunded_share <= 10000", name="refunded_share"),
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
    refunded_share: Mapped[Number] = mapped_column(server_default="0")

    customer: Mapped[Customer] = relationship(lazy="joined")
    service: Mapped[Service] = relationship(lazy="joined")


class ContractFact(Base):
    """One thing that a vendor said of a contract, kept as it was said.

    What a contract is follows from all of its facts in the order of `occurred_at`, whatever order they came
    in. `size_thousandths` and `signed_on` are None where the event did not say; `period` is the month that a
    renewal or a refund is for, as `2026-11`; `share` the refunded part of the price in ten-thousandths. `key`
    lets one fact be written once.
    """

    __tablename__ = "contract_fact"
    __table_args__ = (
        Index("ix_contract_fact_contract", "contract_id", "occurred_at", "id"),
        Index("ix_contract_fact_occurred", "occurred_at"),
    )

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(Whole, ForeignKey("contract.id"))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    type: Mapped[Code]
    milestone: Mapped[Code]
    occurred_at: Mapped[At]
    size_thousandths: Mapped[OptionalNumber]
    signed_on: Mapped[date | None] = mapped_column(Date)
    period: Mapped[str | None] = mapped_column(String(7))
    share: Mapped[OptionalNumber]
    inbox_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("inbox.id"))
    recorded_at: Mapped[At]


class HeldSale(Base):
    """What a milestone would be worth if nothing stood against it; it earns nothing until it is settled.

    `reasons` are codes with their numbers (`licence`, `pack`, `state`, `own_use`, `required_field`). `gone`
    is what was cancelled before it was settled.
    """

    __tablename__ = "held_sale"
    __table_args__ = (
        UniqueConstraint("contract_id", "milestone"),
        CheckConstraint("state IN ('held', 'released', 'refused', 'gone')", name="state"),
        Index("ix_held_sale_state", "state", "consultant_id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    contract_id: Mapped[int] = mapped_column(Whole, ForeignKey("contract.id"))
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    milestone: Mapped[Code]
    volume: Mapped[Number]
    revenue_cents: Mapped[Number]
    reasons: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    state: Mapped[Code]
    occurred_at: Mapped[At]
    held_at: Mapped[At]
    settled_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    settled_at: Mapped[OptionalAt]
    settled_note: Mapped[str | None] = mapped_column(String(500))

    contract: Mapped[Contract] = relationship(lazy="joined")


class Sale(Base):
    """Volume and revenue of one milestone of one contract; append-only, guarded by the database.

    It keeps the terms it was sold by. A cancellation is a further sale with negative numbers and the same
    terms that names what it `reverses_id`. `cause` is the business key that lets one transition of one
    contract be written once. On PostgreSQL the table has a
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
    terms_version_id: Mapped[int] = mapped_column(Whole, ForeignKey("terms_version.id"))
    milestone: Mapped[Code]
    volume: Mapped[Number]
    revenue_cents: Mapped[Number]
    occurred_at: Mapped[At]
    recorded_at: Mapped[At]
    reverses_id: Mapped[OptionalNumber] = mapped_column(Whole, ForeignKey("sale.id"), index=True)
    cause: Mapped[str] = mapped_column(String(200), unique=True)

    contract: Mapped[Contract] = relationship(lazy="joined")
