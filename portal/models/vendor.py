"""Vendors, their keys, the services they sell and the terms those are paid by."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, Boolean, CheckConstraint, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import (
    At,
    Code,
    Id,
    Number,
    OptionalAt,
    OptionalNumber,
    PublicId,
    Sealed,
    Text,
    Whole,
)

TERMS_KINDS = ("one_off", "milestone", "recurring")


class Vendor(Base):
    """A partner company that sells services and reports what happens with them."""

    __tablename__ = "vendor"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    core: Mapped[bool] = mapped_column(Boolean)
    disabled_at: Mapped[OptionalAt]
    created_at: Mapped[At]

    services: Mapped[list[Service]] = relationship(back_populates="vendor", order_by="Service.name")
    keys: Mapped[list[VendorKey]] = relationship(back_populates="vendor", order_by="VendorKey.id")


class VendorMember(Base):
    """A sign-in that works for a vendor and sees that vendor's own traffic."""

    __tablename__ = "vendor_member"
    __table_args__ = (UniqueConstraint("vendor_id", "user_id"),)

    id: Mapped[Id]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    user_id: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"), index=True)
    invited_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    ended_at: Mapped[OptionalAt]

    vendor: Mapped[Vendor] = relationship(lazy="joined")


class VendorKey(Base):
    """A signing key: shown once, stored encrypted; two may live at the same time while one is exchanged."""

    __tablename__ = "vendor_key"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"), index=True)
    secret: Mapped[str] = mapped_column(Sealed)
    created_at: Mapped[At]
    revoked_at: Mapped[OptionalAt]

    vendor: Mapped[Vendor] = relationship(back_populates="keys")


class Service(Base):
    """Something a vendor sells; its size has a unit, such as kW or devices.

    With a price it is sold here through the payment provider: a flat part and a part for each unit, cents.
    """

    __tablename__ = "service"
    __table_args__ = (UniqueConstraint("vendor_id", "code"),)

    id: Mapped[Id]
    vendor_id: Mapped[int] = mapped_column(Whole, ForeignKey("vendor.id"))
    code: Mapped[Code]
    name: Mapped[Text]
    unit: Mapped[Code]
    icon: Mapped[Code]
    price_cents: Mapped[OptionalNumber]
    price_per_unit_cents: Mapped[OptionalNumber]
    summary: Mapped[str | None] = mapped_column(String(500))
    withdrawn_at: Mapped[OptionalAt]

    vendor: Mapped[Vendor] = relationship(back_populates="services")
    terms: Mapped[list[TermsVersion]] = relationship(
        back_populates="service", order_by="TermsVersion.valid_from"
    )


class TermsVersion(Base):
    """What a service is worth and who may sell it where, for contracts signed from a day on.

    Volume and revenue are a flat part plus a part for each whole unit of size; `milestones` says which
    share (ten-thousandths) falls due at which milestone; a recurring service is worth the residual parts for
    each month it is renewed. `shares` divide the revenue (ten-thousandths that make 10,000 together) as
    `{"vendor": n, "company": n, "consultant": n, "upline": [n, …]}`; None leaves that to the pay plan. An
    empty list of `packs` or `states` means all of them; `licence_states` are those where the seller needs a
    licence of the kind `licence_kind`. `required_fields` are paths of event fields that a contract must have.
    """

    __tablename__ = "terms_version"
    __table_args__ = (
        UniqueConstraint("service_id", "valid_from"),
        CheckConstraint("volume_flat >= 0 AND volume_per_unit >= 0", name="volume"),
        CheckConstraint("revenue_flat_cents >= 0 AND revenue_per_unit_cents >= 0", name="revenue"),
        CheckConstraint("cooling_off_days >= 0", name="cooling_off_days"),
        CheckConstraint("kind IN ('one_off', 'milestone', 'recurring')", name="kind"),
        CheckConstraint(
            "residual_volume_flat >= 0 AND residual_volume_per_unit >= 0", name="residual_volume"
        ),
        CheckConstraint(
            "residual_revenue_flat_cents >= 0 AND residual_revenue_per_unit_cents >= 0",
            name="residual_revenue",
        ),
    )

    id: Mapped[Id]
    service_id: Mapped[int] = mapped_column(Whole, ForeignKey("service.id"))
    valid_from: Mapped[date] = mapped_column(Date)
    volume_flat: Mapped[Number]
    volume_per_unit: Mapped[Number]
    revenue_flat_cents: Mapped[Number]
    revenue_per_unit_cents: Mapped[Number]
    milestones: Mapped[dict[str, int]] = mapped_column(JSON)
    cooling_off_days: Mapped[Number]
    kind: Mapped[Code] = mapped_column(server_default="milestone")
    residual_volume_flat: Mapped[Number] = mapped_column(server_default="0")
    residual_volume_per_unit: Mapped[Number] = mapped_column(server_default="0")
    residual_revenue_flat_cents: Mapped[Number] = mapped_column(server_default="0")
    residual_revenue_per_unit_cents: Mapped[Number] = mapped_column(server_default="0")
    shares: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    packs: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    states: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    licence_kind: Mapped[str | None] = mapped_column(String(64))
    licence_states: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    required_fields: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    created_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]

    service: Mapped[Service] = relationship(back_populates="terms")
