"""Money that came in through the payment provider, what was taken back of it, subscriptions and orders."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.person import Person
from portal.models.registration import Registration
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Text, Whole
from portal.models.vendor import Service

PAYMENT_KINDS = ("pack", "renewal", "order")
PAYMENT_STATES = ("paid", "partly_refunded", "refunded", "disputed", "lost")
SUBSCRIPTION_STATES = ("active", "past_due", "ended")
ORDER_STATES = ("open", "paid", "expired", "refunded", "disputed")


class Order(Base):
    """A service that a customer buys and pays here, credited to the consultant whose link they used."""

    __tablename__ = "marketplace_order"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'paid', 'expired', 'refunded', 'disputed')", name="state"),
        CheckConstraint("amount_cents > 0 AND size_thousandths > 0", name="amount"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"), index=True)
    service_id: Mapped[int] = mapped_column(Whole, ForeignKey("service.id"))
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"))
    size_thousandths: Mapped[Number]
    amount_cents: Mapped[Number]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[Code]
    checkout_session: Mapped[str | None] = mapped_column(String(255), index=True)
    contract_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("contract.id"), unique=True)
    created_at: Mapped[At]
    paid_at: Mapped[OptionalAt]

    service: Mapped[Service] = relationship(lazy="joined")
    person: Mapped[Person] = relationship(lazy="joined")


class Payment(Base):
    """One payment of a fee or an order; a fee is never a sale.

    `provider_ref` is the payment intent, or the invoice where a subscription is paid; `charge_ref` the
    payment intent that refunds and disputes name. `fee_cents` is what the provider kept, None while unknown;
    `fee_due_at` when the provider is asked for it next, None where nothing is left to ask.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount"),
        CheckConstraint("kind IN ('pack', 'renewal', 'order')", name="kind"),
        CheckConstraint("state IN ('paid', 'partly_refunded', 'refunded', 'disputed', 'lost')", name="state"),
        CheckConstraint("(registration_id IS NULL) <> (order_id IS NULL)", name="for_one_thing"),
        CheckConstraint("refunded_cents >= 0 AND refunded_cents <= amount_cents", name="refunded"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[Code] = mapped_column(server_default="pack")
    registration_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("registration.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("marketplace_order.id"), index=True)
    provider_ref: Mapped[str] = mapped_column(String(255), unique=True)
    charge_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    subscription_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    amount_cents: Mapped[Number]
    refunded_cents: Mapped[Number] = mapped_column(server_default="0")
    fee_cents: Mapped[OptionalNumber]
    fee_due_at: Mapped[OptionalAt] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[Code] = mapped_column(server_default="paid")
    received_at: Mapped[At]

    registration: Mapped[Registration | None] = relationship(lazy="joined")
    order: Mapped[Order | None] = relationship(lazy="joined")

    @property
    def person_id(self) -> int:
        """Who paid."""
        payer = self.registration or self.order
        assert payer is not None, "a payment is for one thing"
        return payer.person_id


class PaymentReversal(Base):
    """A refund or a dispute of a payment, as the provider knows it; `amount_cents` went back.

    `fee_cents` is what the provider asks for it (below 0 where it gives a fee back), None while unknown;
    `fee_due_at` as in `Payment`: what came of it since may have changed the fee.
    """

    __tablename__ = "payment_reversal"
    __table_args__ = (
        CheckConstraint("kind IN ('refund', 'dispute')", name="kind"),
        CheckConstraint("state IN ('open', 'done', 'won', 'lost', 'failed')", name="state"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(Whole, ForeignKey("payment.id"), index=True)
    provider_ref: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[Code]
    state: Mapped[Code]
    amount_cents: Mapped[Number]
    fee_cents: Mapped[OptionalNumber]
    fee_due_at: Mapped[OptionalAt] = mapped_column(index=True)
    reason: Mapped[str | None] = mapped_column(String(200))
    happened_at: Mapped[At]
    changed_at: Mapped[At]


class Subscription(Base):
    """The monthly fee of a pack as the provider knows it.

    `changed_at` is the moment of the newest event about its state, `ends_changed_at` of the newest about
    its end. `current_until` is until when it is paid.
    """

    __tablename__ = "subscription"
    __table_args__ = (CheckConstraint("state IN ('active', 'past_due', 'ended')", name="state"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    registration_id: Mapped[int] = mapped_column(Whole, ForeignKey("registration.id"), index=True)
    provider_ref: Mapped[str] = mapped_column(String(255), unique=True)
    customer_ref: Mapped[str | None] = mapped_column(String(255))
    state: Mapped[Code]
    current_until: Mapped[OptionalAt]
    ends_at: Mapped[OptionalAt]
    ends_changed_at: Mapped[OptionalAt]
    changed_at: Mapped[At]

    registration: Mapped[Registration] = relationship(lazy="joined")


class RefundRequest(Base):
    """A refund that somebody of the company asked for: written before the provider is asked, then sent once.

    `generation` counts keys: another one begins only where the provider keeps a failure under the last key
    and a look-up says that no refund was made.
    """

    __tablename__ = "refund_request"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'sent', 'done', 'failed')", name="state"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    payment_id: Mapped[int] = mapped_column(Whole, ForeignKey("payment.id"), index=True)
    amount_cents: Mapped[Number]
    reason: Mapped[Text]
    state: Mapped[Code]
    provider_ref: Mapped[str | None] = mapped_column(String(255), unique=True)
    generation: Mapped[Number]
    attempts: Mapped[Number]
    next_at: Mapped[At]
    last_error: Mapped[str | None] = mapped_column(String(1000))
    asked_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    asked_at: Mapped[At]

    @property
    def key(self) -> str:
        """The idempotency key of the next call."""
        return f"refund-{self.public_id}-g{self.generation}"


class EventSweep(Base):
    """One look at the provider's list of events, whole to `until`: how many it had, how many we missed.

    `account` is the connected account whose list it was, None for our own.
    """

    __tablename__ = "event_sweep"

    id: Mapped[Id]
    account: Mapped[str | None] = mapped_column(String(255), index=True)
    since: Mapped[At]
    until: Mapped[At]
    listed: Mapped[Number]
    found: Mapped[Number]
    finished_at: Mapped[At]
