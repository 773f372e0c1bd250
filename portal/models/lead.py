"""Leads: people who may become customers, whose they are, and what was done about them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import Base
from portal.models.consultant import Consultant
from portal.models.person import Person
from portal.models.sale import Customer
from portal.models.types import At, Code, Id, Number, OptionalAt, PublicId, Whole
from portal.models.vendor import Service

LEAD_STAGES = ("new", "contacted", "appointment", "proposal", "signed", "won", "lost")
LEAD_SOURCES = ("hand", "signup", "import", "form", "api")
OFFER_STATES = ("open", "accepted", "declined", "expired", "withdrawn")


class Lead(Base):
    """Somebody interested in a service. Without a consultant it waits to be routed to one.

    `origin` is the key under which a form, an import or an API client sent it, so that it is taken once;
    `source_name` is the name that the form, the token or the file had then.
    """

    __tablename__ = "lead"
    __table_args__ = (
        CheckConstraint(
            "stage IN ('new', 'contacted', 'appointment', 'proposal', 'signed', 'won', 'lost')", name="stage"
        ),
        CheckConstraint("source IN ('hand', 'signup', 'import', 'form', 'api')", name="source"),
        Index("ix_lead_consultant", "consultant_id", "stage", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    person_id: Mapped[int] = mapped_column(Whole, ForeignKey("person.id"), index=True)
    consultant_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("consultant.id"))
    service_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("service.id"))
    customer_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("customer.id"), index=True)
    stage: Mapped[Code]
    source: Mapped[Code]
    source_name: Mapped[str | None] = mapped_column(String(100))
    origin: Mapped[str | None] = mapped_column(String(200), unique=True)
    region: Mapped[str | None] = mapped_column(String(2))
    lost_reason: Mapped[str | None] = mapped_column(String(200))
    created_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]
    changed_at: Mapped[At]
    archived_at: Mapped[OptionalAt]

    person: Mapped[Person] = relationship(lazy="joined")
    service: Mapped[Service | None] = relationship(lazy="joined")
    customer: Mapped[Customer | None] = relationship()


class LeadStep(Base):
    """One line of a lead's history; added, never changed. `kind` is `stage`, `note`, `task`, `offer`, …"""

    __tablename__ = "lead_step"
    __table_args__ = (Index("ix_lead_step_lead", "lead_id", "id"),)

    id: Mapped[Id]
    lead_id: Mapped[int] = mapped_column(Whole, ForeignKey("lead.id"))
    kind: Mapped[Code]
    text: Mapped[str] = mapped_column(String(2000))
    detail: Mapped[dict[str, object]] = mapped_column(JSON)
    actor_id: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))
    at: Mapped[At]


class LeadTask(Base):
    """Something that a consultant wants to do about a lead by a day."""

    __tablename__ = "lead_task"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    lead_id: Mapped[int] = mapped_column(Whole, ForeignKey("lead.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date] = mapped_column(Date)
    done_at: Mapped[OptionalAt]
    created_by: Mapped[int] = mapped_column(Whole, ForeignKey("account_user.id"))
    created_at: Mapped[At]


class RoutingRule(Base):
    """The order of criteria by which leads find a consultant, from a moment on.

    `criteria` is a list of `{"code": …, "weight": …}` in the order in which they decide; `answer_hours` is
    how long an offer stands before the lead goes to the next one.
    """

    __tablename__ = "routing_rule"
    __table_args__ = (CheckConstraint("answer_hours > 0", name="answer_hours"),)

    id: Mapped[Id]
    criteria: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    answer_hours: Mapped[Number]
    valid_from: Mapped[At]
    decided_by: Mapped[int | None] = mapped_column(Whole, ForeignKey("account_user.id"))


class LeadOffer(Base):
    """A lead offered to a consultant: why them, until when, and what they said. `rank` counts from 1."""

    __tablename__ = "lead_offer"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')", name="state"),
        Index("ix_lead_offer_due", "state", "respond_by"),
        Index("ix_lead_offer_consultant", "consultant_id", "state"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    lead_id: Mapped[int] = mapped_column(Whole, ForeignKey("lead.id"), index=True)
    consultant_id: Mapped[int] = mapped_column(Whole, ForeignKey("consultant.id"))
    rule_id: Mapped[int] = mapped_column(Whole, ForeignKey("routing_rule.id"))
    rank: Mapped[Number]
    reasons: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    state: Mapped[Code]
    offered_at: Mapped[At]
    respond_by: Mapped[At]
    answered_at: Mapped[OptionalAt]

    lead: Mapped[Lead] = relationship(lazy="joined")
    consultant: Mapped[Consultant] = relationship()
