"""The books: accounts, entries, postings of (debit, credit, amount); triggers guard them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, Whole


class Currency(Base):
    """A currency and how many decimals its minor unit has."""

    __tablename__ = "currency"

    code: Mapped[str] = mapped_column(String(3), primary_key=True)
    exponent: Mapped[Number]


class Account(Base):
    """One purpose of one owner in one currency.

    A `tracked` account carries its balance and never falls below `floor`; company accounts are summed when
    they are read. `owner_id` 0 is the company.
    """

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("owner_type", "owner_id", "purpose", "currency"),
        UniqueConstraint("id", "currency"),
        CheckConstraint("normal IN ('D', 'C')", name="normal"),
        CheckConstraint("NOT tracked OR floor IS NULL OR balance >= floor", name="no_overdraft"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    id: Mapped[Id]
    owner_type: Mapped[Code]
    owner_id: Mapped[Number]
    purpose: Mapped[Code]
    currency: Mapped[str] = mapped_column(String(3), ForeignKey("currency.code"))
    normal: Mapped[str] = mapped_column(String(1))
    tracked: Mapped[bool] = mapped_column(Boolean)
    floor: Mapped[OptionalNumber]
    balance: Mapped[Number] = mapped_column(server_default="0")
    closed_at: Mapped[OptionalAt]


class LedgerPeriod(Base):
    """A calendar month of the books; `id` is year × 100 + month.

    When it is closed, how many entries it has, the cents they moved, and a SHA-256 over all of it and over
    the month before are written down: whether it stayed as it was can be reckoned again.
    """

    __tablename__ = "ledger_period"
    __table_args__ = (CheckConstraint("ends >= starts", name="length"),)

    id: Mapped[int] = mapped_column(Whole, primary_key=True, autoincrement=False)
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date] = mapped_column(Date)
    closed_at: Mapped[OptionalAt]
    entry_count: Mapped[OptionalNumber]
    posted_cents: Mapped[OptionalNumber]
    fingerprint: Mapped[str | None] = mapped_column(String(64))


def _named_once(column: str) -> Index:
    """An entry is named once by this column; those that name none are not in the index."""
    named = text(f"{column} IS NOT NULL")
    return Index(f"uq_entry_{column}", column, unique=True, postgresql_where=named, sqlite_where=named)


class Entry(Base):
    """One business event in the books. Added, never changed; `key` can be used once."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("reverses_id IS NULL OR reverses_id < id", name="reverses_earlier"),
        CheckConstraint("resolves_id IS NULL OR resolves_id < id", name="resolves_earlier"),
        _named_once("reverses_id"),
        _named_once("resolves_id"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[Code]
    period_id: Mapped[int] = mapped_column(Whole, ForeignKey("ledger_period.id"))
    effective_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[At]
    actor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    cause_type: Mapped[str | None] = mapped_column(String(64))
    cause_id: Mapped[OptionalNumber]
    reverses_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("entry.id"))
    resolves_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("entry.id"))

    postings: Mapped[list[Posting]] = relationship(back_populates="entry", order_by="Posting.id")


class Posting(Base):
    """An amount from a debited to a credited account: balanced by its shape."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_cents > 0 AND amount_cents <= 1000000000000", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        ForeignKeyConstraint(
            ["debit_id", "currency"], ["account.id", "account.currency"], name="fk_posting_debit"
        ),
        ForeignKeyConstraint(
            ["credit_id", "currency"], ["account.id", "account.currency"], name="fk_posting_credit"
        ),
        Index("ix_posting_debit_id", "debit_id"),
        Index("ix_posting_credit_id", "credit_id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(Whole, ForeignKey("entry.id"), index=True)
    debit_id: Mapped[Number]
    credit_id: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    amount_cents: Mapped[Number]

    entry: Mapped[Entry] = relationship(back_populates="postings")
