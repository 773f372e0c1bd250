"""What came in, what must go out, and what is still to be done about it."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import At, Code, Id, Number, OptionalAt, OptionalNumber, PublicId, Whole

# Written out, so that the index of these rows alone is used.
DUE_SOME_DAY = text("state IN ('new', 'retry')")


class Inbox(Base):
    """A signed message from outside, stored before anything is done about it.

    `object_ref` is the provider's id of the thing it speaks of, `account` the connected account it came for;
    `found_by` is `webhook`, `sweep` when the provider's own list of events had to be asked, `statement`
    when somebody settled a vendor's statement, or `simulator`. `outcome` says in words what came of it;
    `problem` is the field or the rule that keeps it from being done.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        CheckConstraint("state IN ('new', 'retry', 'done', 'ignored', 'dead')", name="state"),
        Index("ix_inbox_due", "state", "next_at"),
        Index(
            "ix_inbox_turn",
            *("source", "next_at", "id"),
            postgresql_where=DUE_SOME_DAY,
            sqlite_where=DUE_SOME_DAY,
        ),
        Index("ix_inbox_vendor_received", "vendor_id", "received_at"),
    )

    id: Mapped[Id]
    source: Mapped[Code]
    vendor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("vendor.id"))
    event_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[Code]
    object_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    account: Mapped[str | None] = mapped_column(String(255))
    found_by: Mapped[Code] = mapped_column(server_default="webhook")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[At]
    deliveries: Mapped[Number]
    state: Mapped[Code]
    attempts: Mapped[Number]
    next_at: Mapped[At]
    last_error: Mapped[str | None] = mapped_column(String(1000))
    problem: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str | None] = mapped_column(String(300))
    done_at: Mapped[OptionalAt]


class Outbox(Base):
    """A fact, written in the transaction that made it true."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "relayed_at", "id"),)

    id: Mapped[Id]
    name: Mapped[Code]
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    happened_at: Mapped[At]
    relayed_at: Mapped[OptionalAt]


class Task(Base):
    """One reaction to one fact: the truth about whether it was done, whatever the queue forgets."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("outbox_id", "handler"),
        CheckConstraint("state IN ('new', 'retry', 'done', 'dead')", name="state"),
        Index("ix_task_due", "queue", "state", "next_at"),
    )

    id: Mapped[Id]
    outbox_id: Mapped[int] = mapped_column(Whole, ForeignKey("outbox.id"))
    handler: Mapped[Code]
    queue: Mapped[Code]
    state: Mapped[Code]
    attempts: Mapped[Number]
    next_at: Mapped[At]
    last_error: Mapped[str | None] = mapped_column(String(1000))
    done_at: Mapped[OptionalAt]


class Message(Base):
    """An e-mail to one person for one cause. Sent at most once for its key."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sending', 'sent', 'unknown', 'failed')", name="state"),
        Index("ix_message_due", "state", "next_at"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    template: Mapped[Code]
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"), index=True)
    params: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[Code]
    attempts: Mapped[Number]
    next_at: Mapped[At]
    first_tried_at: Mapped[OptionalAt]
    lease_until: Mapped[OptionalAt]
    provider_ref: Mapped[str | None] = mapped_column(String(255))
    last_error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[At]
    sent_at: Mapped[OptionalAt]


class Audit(Base):
    """Who did what to which thing, and when; append-only."""

    __tablename__ = "audit"

    id: Mapped[Id]
    at: Mapped[At]
    actor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    action: Mapped[Code]
    thing: Mapped[Code]
    thing_id: Mapped[OptionalNumber]
    detail: Mapped[dict[str, object]] = mapped_column(JSON)
