"""Reads about payments: for those who keep the company, and for those who paid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, load_only

from portal.kernel.errors import NotYours
from portal.ledger.accounts import PROVIDER_FEES, STRIPE_BALANCE
from portal.ledger.entries import Opened, opened
from portal.models import (
    AccountUser,
    Entry,
    Inbox,
    Order,
    Payment,
    PaymentReversal,
    Person,
    RefundRequest,
    Registration,
    Subscription,
)
from portal.payments.reversals import key_of
from portal.store.inbox import STRIPE

EVENT_STATES = {"waiting": ("new", "retry"), "dead": ("dead",)}


@dataclass(frozen=True)
class Wanted:
    """Which payments: empty for any. `text` begins the payer's name or e-mail, or is Stripe's reference."""

    state: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class Sums:
    """How many payments and cents a filter finds, the cents that were refunded, what Stripe kept of all.

    `untold` counts the payments of which Stripe did not say yet what it kept.
    """

    number: int
    paid: int
    refunded: int
    fees: int
    untold: int


@dataclass(frozen=True)
class Story:
    """Everything about one payment: events without bodies, what went back, what was asked for, entries."""

    payment: Payment
    person: Person
    events: Sequence[Inbox]
    reversals: Sequence[PaymentReversal]
    requests: Sequence[RefundRequest]
    askers: dict[int, str]
    entries: Sequence[Opened]

    def entry_of(self, reversal: PaymentReversal) -> int | None:
        """The entry by which the money of a refund or dispute left."""
        by_key = {opened.entry.key: opened.entry.id for opened in self.entries}
        return by_key.get(key_of(reversal))

    def fees(self) -> list[tuple[Opened, int]]:
        """The entries of what the provider kept or gave back of it, each with its cents."""
        grown = [(each, _grown(each, PROVIDER_FEES.purpose)) for each in self.entries]
        return [(each, cents) for each, cents in grown if cents]

    @property
    def left_cents(self) -> int:
        """What is left of it at the provider after refunds, disputes and fees."""
        return sum(_grown(each, STRIPE_BALANCE.purpose) for each in self.entries)


def find_payments(
    session: Session, wanted: Wanted, *, before: int = 0, limit: int = 50
) -> list[tuple[Payment, Person]]:
    """Payments with who paid, newest first; `before` is the id of the last one of the page before."""
    statement = _found(select(Payment, Person), wanted)
    if before:
        statement = statement.where(Payment.id < before)
    rows = session.execute(statement.order_by(Payment.id.desc()).limit(limit)).unique()
    return [(payment, person) for payment, person in rows]


def sums_of(session: Session, wanted: Wanted) -> Sums:
    """The sums of all payments that a filter finds."""
    totals = select(
        func.count(Payment.id),
        func.coalesce(func.sum(Payment.amount_cents), 0),
        func.coalesce(func.sum(Payment.refunded_cents), 0),
        func.coalesce(func.sum(func.coalesce(Payment.fee_cents, 0) + _later_fees()), 0),
        func.count(Payment.id).filter(Payment.fee_cents.is_(None)),
    )
    return Sums(*(int(sum_) for sum_ in session.execute(_found(totals, wanted)).one()))


def ids_of(wanted: Wanted) -> Select[int]:
    """The question for the ids of all payments that a filter finds."""
    return _found(select(Payment.id), wanted)


def story_of(session: Session, public_id: str) -> Story:
    """One payment and all that happened to it. Raises `NotYours`."""
    payment = session.scalar(select(Payment).where(Payment.public_id == public_id))
    if payment is None:
        raise NotYours("There is no such payment.")
    mine = RefundRequest.payment_id == payment.id
    asked = session.scalars(select(RefundRequest).where(mine).order_by(RefundRequest.id)).all()
    booked = (Entry.cause_type == "payment", Entry.cause_id == payment.id)
    entry_ids = select(Entry.id).where(*booked).order_by(Entry.id)
    return Story(
        payment=payment,
        person=session.get_one(Person, payment.person_id),
        events=_events(session, Inbox.object_ref.in_(_refs(payment))),
        reversals=went_back(session, payment),
        requests=asked,
        askers=_names(session, {each.asked_by for each in asked}),
        entries=[opened(session, entry_id) for entry_id in session.scalars(entry_ids)],
    )


def _later_fees() -> ColumnElement[int]:
    """What the provider kept of the refunds and disputes of a payment."""
    fees = select(func.coalesce(func.sum(PaymentReversal.fee_cents), 0))
    return fees.where(PaymentReversal.payment_id == Payment.id).correlate(Payment).scalar_subquery()


def _grown(entry: Opened, purpose: str) -> int:
    """By how much an entry let an account grow whose money is on the debit side, in cents."""
    into = sum(move.amount for move in entry.moves if move.source.purpose == purpose)
    return into - sum(move.amount for move in entry.moves if move.target.purpose == purpose)


def _names(session: Session, user_ids: set[int]) -> dict[int, str]:
    """What the people of these accounts are called, by the id of the account."""
    people = select(AccountUser.id, Person.name).join(Person, Person.id == AccountUser.person_id)
    return {row.id: row.name for row in session.execute(people.where(AccountUser.id.in_(user_ids)))}


def went_back(session: Session, payment: Payment) -> Sequence[PaymentReversal]:
    """The refunds and disputes of a payment, oldest first."""
    mine = PaymentReversal.payment_id == payment.id
    return session.scalars(select(PaymentReversal).where(mine).order_by(PaymentReversal.id)).all()


def events(session: Session, state: str, *, before: int = 0, limit: int = 50) -> Sequence[Inbox]:
    """Events of Stripe in one of `EVENT_STATES`, any for another word; newest first, without bodies."""
    conditions: list[ColumnElement[bool]] = [Inbox.source == STRIPE]
    if state in EVENT_STATES:
        conditions.append(Inbox.state.in_(EVENT_STATES[state]))
    if before:
        conditions.append(Inbox.id < before)
    return _events(session, *conditions, limit=limit)


def event_body(session: Session, inbox_id: int) -> tuple[Inbox, str]:
    """One event of Stripe and its body, fit to be read. Raises `NotYours`."""
    row = session.get(Inbox, inbox_id)
    if row is None or row.source != STRIPE:
        raise NotYours("There is no such event.")
    return row, _readable(row.body)


def payments_of(session: Session, consultant_id: int) -> Sequence[Payment]:
    """What a consultant paid for their pack, newest first."""
    statement = (
        select(Payment)
        .join(Registration, Registration.id == Payment.registration_id)
        .where(Registration.consultant_id == consultant_id)
    )
    return session.scalars(statement.order_by(Payment.received_at.desc(), Payment.id.desc())).all()


def subscription_of(session: Session, consultant_id: int) -> Subscription | None:
    """The newest subscription of a consultant."""
    statement = (
        select(Subscription)
        .join(Registration, Registration.id == Subscription.registration_id)
        .where(Registration.consultant_id == consultant_id)
    )
    return session.scalar(statement.order_by(Subscription.id.desc()).limit(1))


def orders_of(session: Session, consultant_id: int, *, limit: int = 100) -> Sequence[Order]:
    """The newest orders that came through a consultant's link."""
    mine = Order.consultant_id == consultant_id
    return session.scalars(select(Order).where(mine).order_by(Order.id.desc()).limit(limit)).all()


def order_by_public_id(session: Session, public_id: str) -> Order | None:
    """The order of this public id."""
    return session.scalar(select(Order).where(Order.public_id == public_id))


def _found(columns: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    statement = (
        columns.select_from(Payment)
        .join(Registration, Registration.id == Payment.registration_id, isouter=True)
        .join(Order, Order.id == Payment.order_id, isouter=True)
        .join(Person, Person.id == func.coalesce(Registration.person_id, Order.person_id))
    )
    return statement.where(*_conditions(wanted))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state:
        conditions.append(Payment.state == wanted.state)
    if wanted.kind:
        conditions.append(Payment.kind == wanted.kind)
    if wanted.since:
        conditions.append(Payment.received_at >= wanted.since)
    if wanted.until:
        conditions.append(Payment.received_at < wanted.until)
    if text := wanted.text.strip():
        begins = (
            Person.name.istartswith(text, autoescape=True),
            Person.email.startswith(text.lower(), autoescape=True),
        )
        refs = (Payment.provider_ref, Payment.charge_ref, Payment.subscription_ref, Payment.public_id)
        conditions.append(or_(*begins, *(ref == text for ref in refs)))
    return conditions


def _refs(payment: Payment) -> list[str]:
    payer = payment.registration or payment.order
    refs = (
        payment.provider_ref,
        payment.charge_ref,
        payment.subscription_ref,
        payer and payer.checkout_session,
    )
    return [ref for ref in refs if ref]


def _events(session: Session, *conditions: ColumnElement[bool], limit: int = 200) -> Sequence[Inbox]:
    columns = (
        Inbox.event_id,
        Inbox.kind,
        Inbox.object_ref,
        Inbox.found_by,
        Inbox.received_at,
        Inbox.deliveries,
        Inbox.state,
        Inbox.attempts,
        Inbox.next_at,
        Inbox.last_error,
        Inbox.done_at,
    )
    newest = select(Inbox).where(*conditions).options(load_only(*columns)).order_by(Inbox.id.desc())
    return session.scalars(newest.limit(limit)).all()


def _readable(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
