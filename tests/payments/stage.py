"""Stripe played without a wire: what happens there becomes events, which a test delivers as it likes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from jobs import inbox
from portal.extensions import db
from portal.gateways.sandbox.delivery import Courier
from portal.gateways.sandbox.pages import ACTS
from portal.gateways.sandbox.play import PAYS, Play
from portal.gateways.sandbox.store import Store
from portal.gateways.stripe import CheckoutRequest, _session_parameters
from portal.gateways.stripe_events import translated
from portal.kernel.ids import new_id
from portal.ledger.audit import broken_invariants
from portal.members import service as members
from portal.members.packs import ensure_defaults
from portal.members.service import Applicant
from portal.models import (
    Account,
    Agreement,
    Consultant,
    Contract,
    Entry,
    Inbox,
    Order,
    Payment,
    PaymentReversal,
    Posting,
    Registration,
    Sale,
    Service,
    Subscription,
)
from portal.payments import orders
from portal.payments.orders import Buyer
from portal.store import UnitOfWork, perform
from portal.store.inbox import STRIPE, Arrival, receive
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor
from tests.people import invite_cast

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
FEES = {"pack": (49_00, 0), "plus": (149_00, 19_00)}
MOST_NEWS = 50
FILE = "stripe.sqlite"
Event = dict[str, Any]


@dataclass
class Stage:
    """A company with three packs and a priced service, the test Stripe beside it, and a clock for both."""

    app: Flask
    play: Play
    now: list[datetime]
    code: str
    seller: int
    service_id: int
    people: int = 0
    told: str = ""
    sessions: dict[str, str] = field(default_factory=dict)

    def register(self, pack: str = "pack") -> str:
        """Somebody at the payment page of a pack; gives the registration's public id."""
        self.people += 1
        name = f"Person {self.people}"
        with self.app.app_context():
            public_id = perform(lambda uow: _register(uow, name, pack), self.clock)
        once, monthly = FEES[pack]
        self._open(public_id, once=once, monthly=monthly, registration_id=public_id)
        return public_id

    def order(self, kilowatts: int = 8) -> str:
        """Somebody at the payment page of an order; gives the order's public id."""
        self.people += 1
        buyer = Buyer(f"Buyer {self.people}", f"buyer{self.people}@example.com")

        def write(uow: UnitOfWork) -> tuple[str, int]:
            order = orders.open_order(
                uow,
                consultant_id=self.seller,
                service_id=self.service_id,
                buyer=buyer,
                size_thousandths=kilowatts * 1000,
            )
            return order.public_id, order.amount_cents

        with self.app.app_context():
            public_id, cents = perform(write, self.clock)
        self._open(public_id, once=cents, monthly=0, order_id=public_id)
        return public_id

    def act(self, subject: str, *names: str) -> list[Event]:
        """Let things happen to what a registration or order opened, a minute apart; the events they make."""
        made = []
        for name in names:
            with self.play.store.writing() as books:
                session = books.find("session", self.sessions[subject])
                assert session is not None
                if name == "pay":
                    self.play.pay(books, session, card=PAYS)
                elif name == "bank":
                    self.play.pay_by_bank(books, session)
                else:
                    ACTS[name](self.play, books, session)
            made += self.news()
            self.now[0] += timedelta(minutes=1)
        return made

    def news(self) -> list[Event]:
        """The events since the last look, in their order."""
        with self.play.store.reading() as books:
            newest = books.newest("event", limit=MOST_NEWS)
        ids = [event["id"] for event in newest]
        fresh = newest[: ids.index(self.told)] if self.told else newest
        self.told = newest[0]["id"] if newest else ""
        return fresh[::-1]

    def deliver(self, events: Iterable[Event]) -> None:
        """Store events in the inbox, as the door does."""
        with self.app.app_context():
            for event in events:
                perform(partial(_receive, event=event), self.clock)

    def drain(self, *, later: timedelta = timedelta(0)) -> int:
        """Let what is due take effect."""
        self.now[0] += later
        with self.app.app_context():
            return inbox.drain(self.clock, most=100_000)

    def finish(self) -> None:
        """Let what waits take effect, with the waits passed, until nothing does any more."""
        for _ in range(12):
            self.drain(later=timedelta(hours=12))
            if not self.count(Inbox.state.in_(("new", "retry"))):
                return

    def count(self, *conditions: Any) -> int:
        with self.app.app_context():
            return db.session.scalar(select(func.count()).select_from(Inbox).where(*conditions)) or 0

    def clock(self) -> datetime:
        return self.now[0]

    def state_of(self, subject: str) -> dict[str, Any]:
        """What became of a registration or order: no ids, so that two of them can be compared."""
        with self.app.app_context():
            return _state_of(subject)

    def faults(self) -> list[Any]:
        """What is wrong in the books."""
        with self.app.app_context():
            return list(broken_invariants(db.session()))

    def read(self, work: Callable[[Any], Any]) -> Any:
        with self.app.app_context():
            return work(db.session)

    def _open(self, subject: str, *, once: int, monthly: int, **whose: str) -> None:
        request = CheckoutRequest(
            name="Something",
            once_cents=once,
            monthly_cents=monthly,
            email="someone@example.com",
            success_url="http://localhost:8000/done",
            cancel_url="http://localhost:8000/back",
            idempotency_key=subject,
            **whose,
        )
        with self.play.store.writing() as books:
            self.sessions[subject] = self.play.open_session(books, dict(_session_parameters(request))).body[
                "id"
            ]


def build(app: Flask, folder: Path, *, file: str = "") -> Stage:
    """Everybody in place, at noon of a Wednesday; Stripe keeps its record in `file`."""
    cast = invite_cast(app)
    now = [NOON]
    store = Store(folder / (file or f"stripe-{new_id()}.sqlite"))
    courier = Courier(store, url="", secret="", clock=lambda: now[0])
    play = Play(store, courier, clock=lambda: now[0], public_base_url="http://localhost/sandbox")
    with app.app_context():
        perform(ensure_defaults)
        service_id = perform(_sell_roofs)
        code = db.session.get_one(Consultant, cast.ana).code
    return Stage(app, play, now, code=code, seller=cast.ana, service_id=service_id)


def _receive(uow: UnitOfWork, event: Event) -> None:
    receive(uow, arrival=arrival_of(event))


def arrival_of(event: Event) -> Arrival:
    """An event as the door hands it to the inbox."""
    read = translated(event)
    return Arrival(
        source=STRIPE,
        event_id=read.id,
        kind=read.type,
        body=json.dumps(event).encode(),
        object_ref=read.object_ref,
        account=read.account,
    )


def _register(uow: UnitOfWork, name: str, pack: str) -> str:
    applicant = Applicant(name, f"{name.replace(' ', '.')}@example.com", "$argon2id$not-a-real-hash")
    registration = members.start_registration(uow, applicant=applicant, pack=pack)
    sha256 = uow.session.scalars(select(Agreement.sha256)).one()
    members.accept_agreement(uow, public_id=registration.public_id, sha256=sha256)
    return registration.public_id


def _sell_roofs(uow: UnitOfWork) -> int:
    vendor = add_vendor(uow, name="Vera Solar", core=True, actor_id=None)
    service = add_service(uow, vendor_id=vendor.id, offer=Offer("roof", "Solar roof", "kW"), actor_id=None)
    uow.session.get_one(Service, service.id).price_cents = 500_00
    service.price_per_unit_cents = 100_00
    terms = Terms(
        valid_from=date(2026, 1, 1),
        volume_per_unit=10_00,
        revenue_per_unit_cents=50_00,
        milestones={"paid": 4_000, "activated": 6_000},
    )
    add_terms(uow, service_id=service.id, terms=terms, actor_id=None)
    return service.id


def _state_of(subject: str) -> dict[str, Any]:
    session = db.session
    registration = session.scalar(select(Registration).where(Registration.public_id == subject))
    order = session.scalar(select(Order).where(Order.public_id == subject))
    if registration:
        mine = Payment.registration_id == registration.id
    else:
        assert order is not None, "a subject is one or the other"
        mine = Payment.order_id == order.id
    payments = session.scalars(select(Payment).where(mine).order_by(Payment.received_at, Payment.id)).all()
    ids = [payment.id for payment in payments]
    state: dict[str, Any] = {
        "payments": [
            (p.kind, p.amount_cents, p.refunded_cents, p.state, bool(p.charge_ref)) for p in payments
        ],
        "reversals": [
            (r.kind, r.state, r.amount_cents, r.reason)
            for r in session.scalars(
                select(PaymentReversal)
                .where(PaymentReversal.payment_id.in_(ids))
                .order_by(PaymentReversal.kind, PaymentReversal.amount_cents, PaymentReversal.state)
            )
        ],
        "entries": sorted(
            tuple(row)
            for row in session.execute(
                select(Entry.kind, func.sum(Posting.amount_cents))
                .join(Posting, Posting.entry_id == Entry.id)
                .where(Entry.cause_type == "payment", Entry.cause_id.in_(ids))
                .group_by(Entry.id, Entry.kind)
            )
        ),
    }
    if registration:
        state |= _standing(registration)
    elif order:
        state |= _contract(order)
    return state


def _standing(registration: Registration) -> dict[str, Any]:
    held = db.session.scalar(select(Subscription).where(Subscription.registration_id == registration.id))
    consultant = db.session.get(Consultant, registration.consultant_id or 0)
    return {
        "registration": registration.state,
        "pack": consultant.pack if consultant else None,
        "subscription": held and (held.state, bool(held.customer_ref), *_days(registration, held)),
    }


def _days(registration: Registration, held: Subscription) -> list[int | None]:
    """Until which day it is paid, and on which it ends, counted from the registration."""
    moments = (held.current_until, held.ends_at)
    return [(moment - registration.started_at).days if moment else None for moment in moments]


def _contract(order: Order) -> dict[str, Any]:
    contract = db.session.get(Contract, order.contract_id or 0)
    sums = select(func.coalesce(func.sum(Sale.volume), 0), func.coalesce(func.sum(Sale.revenue_cents), 0))
    return {
        "order": order.state,
        "contract": contract and contract.state,
        "net": tuple(db.session.execute(sums.where(Sale.contract_id == order.contract_id)).one()),
    }


def company_balances() -> dict[str, int]:
    """Debits less credits of the company's accounts, read from the postings alone."""
    accounts = {a.id: a.purpose for a in db.session.scalars(select(Account)) if a.owner_type == "company"}
    sums: dict[str, int] = {}
    for debit, credit, cents in db.session.execute(
        select(Posting.debit_id, Posting.credit_id, Posting.amount_cents)
    ):
        if debit in accounts:
            sums[accounts[debit]] = sums.get(accounts[debit], 0) + cents
        if credit in accounts:
            sums[accounts[credit]] = sums.get(accounts[credit], 0) - cents
    return sums
