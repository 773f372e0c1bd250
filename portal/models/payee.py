"""How consultants are paid: methods, their destinations, tax forms and the rules of a tax year."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Sealed, Text, Whole

METHOD_KINDS = ("file", "nacha", "stripe", "http")
TAX_FORM_STATES = ("valid", "refused", "replaced")


class PayoutMethod(Base):
    """A way to pay consultants, with its fee, minimum and limits. Data, edited by an admin.

    `kind` names the adapter: `file` (CSV and XLSX for the bank), `nacha` (a bank file), `stripe`, `http` (a
    provider that `settings` describe). Amounts are in cents, `fee_rate` in ten-thousandths of the amount;
    above `automatic_limit_cents` an unknown outcome is never tried again without a person.
    """

    __tablename__ = "payout_method"
    __table_args__ = (
        CheckConstraint("kind IN ('file', 'nacha', 'stripe', 'http')", name="kind"),
        CheckConstraint("minimum_cents > 0 AND minimum_cents <= maximum_cents", name="limits"),
        CheckConstraint("fee_cents >= 0 AND fee_rate >= 0 AND fee_rate < 10000", name="fee"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[Text]
    kind: Mapped[Code]
    enabled: Mapped[bool] = mapped_column(Boolean)
    position: Mapped[Number]
    countries: Mapped[list[str]] = mapped_column(JSON)
    minimum_cents: Mapped[Number]
    maximum_cents: Mapped[Number]
    daily_limit_cents: Mapped[Number]
    run_limit_cents: Mapped[Number]
    automatic_limit_cents: Mapped[Number]
    fee_cents: Mapped[Number]
    fee_rate: Mapped[Number]
    settings: Mapped[str | None] = mapped_column(Sealed)
    created_at: Mapped[At]


class Destination(Base):
    """Where one consultant is paid by one method; changed details are a new row with a pause before use.

    `details` is JSON (bank numbers), sealed; `label` is the masked form that people see. `ready` says that
    the provider can pay there, `problem` why not, `told_at` the moment of the word that says so. `bank_mark`
    is the provider's mark of the bank account behind it: None while none was seen, empty for one that was
    taken away; `bank_told_at` the moment of the word about that.
    """

    __tablename__ = "payout_destination"
    __table_args__ = (
        Index(
            "uq_payout_destination_current",
            "consultant_id",
            "method_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
            sqlite_where=text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    method_id: Mapped[int] = mapped_column(Whole, ForeignKey("payout_method.id"))
    label: Mapped[Text]
    details: Mapped[str | None] = mapped_column(Sealed)
    provider_account: Mapped[str | None] = mapped_column(String(255), index=True)
    country: Mapped[str] = mapped_column(String(2))
    ready: Mapped[bool] = mapped_column(Boolean)
    problem: Mapped[str | None] = mapped_column(String(500))
    told_at: Mapped[OptionalAt]
    bank_mark: Mapped[str | None] = mapped_column(String(255))
    bank_told_at: Mapped[OptionalAt]
    created_at: Mapped[At]
    usable_at: Mapped[At]
    replaced_at: Mapped[OptionalAt]

    method: Mapped[PayoutMethod] = relationship(lazy="joined")

    @property
    def called(self) -> str:
        """The way and the masked account, such as `Bank transfer ••1234`; the name of the way only once."""
        return f"{self.method.name} {self.label.removeprefix(self.method.name).strip()}".strip()


class TaxForm(Base):
    """A signed W-9; the number is sealed, its last four digits are shown."""

    __tablename__ = "tax_form"
    __table_args__ = (
        CheckConstraint("state IN ('valid', 'refused', 'replaced')", name="state"),
        Index(
            "uq_tax_form_valid",
            "consultant_id",
            unique=True,
            postgresql_where=text("state = 'valid'"),
            sqlite_where=text("state = 'valid'"),
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    legal_name: Mapped[str] = mapped_column(Sealed)
    classification: Mapped[Code]
    tax_number: Mapped[str] = mapped_column(Sealed)
    last_four: Mapped[str] = mapped_column(String(4))
    backup_withholding: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[Code]
    reason: Mapped[str | None] = mapped_column(String(500))
    signed_at: Mapped[At]
    reviewed_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    reviewed_at: Mapped[OptionalAt]


class TaxYear(Base):
    """What the law asks in a year: the rate of backup withholding, and from which sums on it asks what."""

    __tablename__ = "tax_year"

    year: Mapped[int] = mapped_column(Whole, primary_key=True, autoincrement=False)
    withholding_rate: Mapped[Number]
    reporting_from_cents: Mapped[Number]
    form_needed_from_cents: Mapped[Number]
    source: Mapped[Text]
