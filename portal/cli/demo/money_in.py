"""Fees and orders that were paid at the played Stripe: most stand, some went back, one is in dispute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import NamedTuple

from sqlalchemy import select

from portal.cli.demo.at_stripe import PlayedStripe
from portal.cli.demo.calendar import Calendar
from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA
from portal.cli.demo.rows import Known
from portal.cli.demo.weeks import quietly
from portal.extensions import db
from portal.kernel.provider_events import MoneyMove
from portal.models import Agreement, Consultant, Order, Pack, Payment, Person, Registration
from portal.payments import fees, orders, recording, reversals
from portal.payments.fees import Question
from portal.payments.orders import Buyer
from portal.payments.recording import PaymentNotice
from portal.payments.reversals import ReversalNotice
from portal.sales.orders import follow_order, sign_order
from portal.store import UnitOfWork

NEWEST = 11
BUYERS = (("Dana Reed", 2_000), ("Otis Grant", 1_000))
_MONTH = timedelta(days=30)


class Fee(NamedTuple):
    """A fee that somebody pays at a moment, for the pack or for another month."""

    at: datetime
    consultant_id: int
    registration_id: int
    cents: int
    kind: str


class Till:
    """Takes money as Stripe's events would, at moments of the past."""

    def __init__(self, calendar: Calendar, *, known: Known, stripe: PlayedStripe) -> None:
        self._calendar = calendar
        self._known = known
        self._stripe = stripe
        self._intents = 0

    def take(self) -> None:
        """Fees of Maya and of who joined last, in the order of time, two orders; then what went back."""
        due = sorted(fee for consultant_id in self._payers() for fee in self._fees(consultant_id))
        taken = [(fee, self._paid_fee(fee)) for fee in due]
        kept, returned = (self._order(name, size) for name, size in BUYERS)
        maya = self._known.sellers[MAYA]
        _first, refunded, disputed, *_ = sorted(taken, key=lambda each: each[0].consultant_id != maya)
        self._refund(refunded[1], refunded[1].amount_cents // 3)
        self._dispute(disputed[1])
        self._refund(returned, returned.amount_cents)
        assert kept.state == "paid", "one order stands"

    def _payers(self) -> Sequence[int]:
        newest = (
            select(Consultant.id)
            .join(Pack, Pack.code == Consultant.pack)
            .where(Pack.price_cents > 0, Consultant.id != self._known.sellers[MAYA])
            .order_by(Consultant.joined_at.desc(), Consultant.id.desc())
            .limit(NEWEST)
        )
        return [self._known.sellers[MAYA], *db.session.scalars(newest)]

    def _fees(self, consultant_id: int) -> list[Fee]:
        """The fee for the pack, and the monthly ones since."""
        who = db.session.get_one(Consultant, consultant_id)
        pack = db.session.get_one(Pack, who.pack)
        at = max(who.joined_at, self._calendar.start)
        registration_id = int(quietly(partial(_registered, consultant_id=consultant_id), at=at))
        first = pack.price_cents + pack.monthly_cents
        due = [Fee(at, consultant_id, registration_id, first, "pack")]
        while pack.monthly_cents and (at := at + _MONTH) < self._calendar.now:
            due.append(Fee(at, consultant_id, registration_id, pack.monthly_cents, "renewal"))
        return due

    def _paid_fee(self, fee: Fee) -> Payment:
        notice, move = self._paid(fee.cents, fee.at)

        def work(uow: UnitOfWork) -> int:
            registration = uow.session.get_one(Registration, fee.registration_id)
            made = recording.record_payment(uow, registration=registration, notice=notice, kind=fee.kind)
            return _with_fee(uow, made, move)

        return db.session.get_one(Payment, quietly(work, at=fee.at))

    def _order(self, name: str, size: int) -> Payment:
        """A customer of Maya's orders and pays; the contract is signed at once."""
        at = self._calendar.now - timedelta(days=1)
        service = next(stored.service_id for stored in self._known.offers[::-1])
        public_id = str(quietly(partial(self._open, name=name, size=size, service_id=service), at=at))
        amount = db.session.scalars(select(Order.amount_cents).where(Order.public_id == public_id)).one()
        notice, move = self._paid(amount, at)

        def work(uow: UnitOfWork) -> int:
            made = orders.pay_order(uow, public_id=public_id, notice=notice)
            sign_order(uow, order=orders.locked(uow, public_id))
            # The buyer, and the customer that the vendor gets: the same ids for the same demo.
            known = select(Person).where(Person.name == name).order_by(Person.id.desc()).limit(2)
            for number, person in enumerate(uow.session.scalars(known)):
                person.public_id = Invented(Random(f"{name} {number}")).public_id()
            return _with_fee(uow, made, move)

        return db.session.get_one(Payment, quietly(work, at=at))

    def _open(self, uow: UnitOfWork, *, name: str, size: int, service_id: int) -> str:
        email = self._known.invented.email(name)
        order = orders.open_order(
            uow,
            consultant_id=self._known.sellers[MAYA],
            service_id=service_id,
            buyer=Buyer(name, email),
            size_thousandths=size,
        )
        return order.public_id

    def _paid(self, cents: int, at: datetime) -> tuple[PaymentNotice, MoneyMove]:
        self._intents += 1
        intent = f"pi_demo{self._intents:04d}"
        move = self._stripe.charge(intent, cents, at=at)
        return PaymentNotice(intent, cents, received_at=at, intent_ref=intent), move

    def _refund(self, payment: Payment, cents: int) -> None:
        at = self._calendar.now - timedelta(hours=5)
        ref = self._stripe.refund(payment.provider_ref, cents, at=at)
        self._back(payment, ReversalNotice(ref, "refund", payment.provider_ref, cents, "usd", "done", at, at))

    def _dispute(self, payment: Payment) -> None:
        at = self._calendar.now - timedelta(hours=4)
        ref, cents = self._stripe.dispute(payment.provider_ref, at=at), payment.amount_cents
        notice = ReversalNotice(ref, "dispute", payment.provider_ref, cents, "usd", "open", at, at)
        self._back(payment, notice)

    def _back(self, payment: Payment, notice: ReversalNotice) -> None:
        """Book it; a pack stays while a part of its fee went back or a bank asks for it."""

        def work(uow: UnitOfWork) -> None:
            found = reversals.record_reversal(uow, notice=notice)
            if found.order is not None:
                orders.settle_order(uow, order=found.order)
                follow_order(uow, order=found.order, at=notice.at)

        quietly(work, at=notice.at)


def _with_fee(uow: UnitOfWork, payment: Payment | None, move: MoneyMove) -> int:
    """Book what Stripe kept of a payment; its id."""
    assert payment is not None, "nothing is paid for free in the demo"
    asked = Question("payment", payment.id, payment.provider_ref)
    fees.note_moves(uow, question=asked, moves=[move])
    return payment.id


def _registered(uow: UnitOfWork, *, consultant_id: int) -> int:
    """The registration that a consultant came by, which is complete."""
    who = uow.session.get_one(Consultant, consultant_id)
    agreement = uow.session.scalars(select(Agreement)).first()
    assert agreement is not None, "a company has its agreement"
    now = uow.clock()
    made = Registration(
        public_id=f"demo{consultant_id}",
        person_id=who.person_id,
        password_hash="",
        pack=who.pack,
        sponsor_id=who.sponsor_id,
        agreement_version=agreement.version,
        agreement_sha256=agreement.sha256,
        agreed_at=now,
        state="complete",
        consultant_id=consultant_id,
        started_at=now,
        completed_at=now,
    )
    uow.session.add(made)
    uow.session.flush()
    return made.id
