"""Orders: a service that a customer buys and pays here, through the link of a consultant."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.kernel.errors import BadInput, NotYetKnown
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, round_half_away
from portal.ledger.accounts import CURRENCY
from portal.models import Order, Payment, PaymentReversal, Person, Service
from portal.payments.recording import PaymentNotice, record_order_payment
from portal.payments.reversals import STANDING
from portal.store import UnitOfWork
from portal.store.locks import lock_where

THOUSANDTHS = 1_000
MOST_CENTS = 99_999_999
LEAST_CENTS = 50


@dataclass(frozen=True)
class Buyer:
    """Who orders."""

    name: str
    email: str


@dataclass(frozen=True)
class Kept:
    """`cents` of the price stay paid, `of` so many."""

    cents: int
    of: int


def price_of(service: Service, *, size_thousandths: int) -> Cents:
    """What a size of a service costs: the flat part and the part for each unit, rounded once, cents."""
    flat, per_unit = service.price_cents or 0, service.price_per_unit_cents or 0
    return Cents(round_half_away(flat * THOUSANDTHS + per_unit * size_thousandths, THOUSANDTHS))


def is_sold_here(service: Service) -> bool:
    """Whether a service has a price and terms, and was not withdrawn."""
    has_price = bool(service.price_cents or service.price_per_unit_cents)
    return has_price and bool(service.terms) and service.withdrawn_at is None


def open_order(
    uow: UnitOfWork, *, consultant_id: int, service_id: int, buyer: Buyer, size_thousandths: int
) -> Order:
    """Keep what somebody wants to buy, before they pay.

    Raises `BadInput` for a service that is not sold here and for a size that cannot be paid.
    """
    service = uow.session.get(Service, service_id)
    if service is None or not is_sold_here(service):
        raise BadInput("This service is not sold here.", field="service")
    if size_thousandths <= 0:
        raise BadInput("Please write a size above 0.", field="size")
    amount = price_of(service, size_thousandths=size_thousandths)
    if not LEAST_CENTS <= amount <= MOST_CENTS:
        raise BadInput("This size cannot be paid online. Please choose another one.", field="size")
    now = uow.clock()
    person = Person(
        public_id=new_id(), name=buyer.name.strip(), email=buyer.email.strip().lower(), created_at=now
    )
    uow.session.add(person)
    uow.session.flush()
    order = Order(
        public_id=new_id(),
        consultant_id=consultant_id,
        service_id=service.id,
        person_id=person.id,
        size_thousandths=size_thousandths,
        amount_cents=amount,
        currency=CURRENCY,
        state="open",
        created_at=now,
    )
    uow.session.add(order)
    uow.session.flush()
    return order


def note_checkout(uow: UnitOfWork, *, public_id: str, checkout_session: str) -> None:
    """Remember the payment page that was opened for an order."""
    locked(uow, public_id).checkout_session = checkout_session
    uow.session.flush()


def pay_order(uow: UnitOfWork, *, public_id: str, notice: PaymentNotice) -> Payment | None:
    """Record the payment of an order, once for its reference. Raises `NotYetKnown` for an unknown order."""
    order = locked(uow, public_id)
    payment = record_order_payment(uow, order=order, notice=notice)
    order.paid_at = min(order.paid_at or notice.received_at, notice.received_at)
    settle_order(uow, order=order)
    return payment


def expire_order(uow: UnitOfWork, *, public_id: str) -> None:
    """The payment page closed unpaid; what was paid stays paid. Raises `NotYetKnown`."""
    order = locked(uow, public_id)
    if order.state == "open":
        order.state = "expired"
        uow.session.flush()


def settle_order(uow: UnitOfWork, *, order: Order) -> None:
    """The state of a paid order follows from its payments: one that stands is enough."""
    states = uow.session.scalars(select(Payment.state).where(Payment.order_id == order.id)).all()
    if not states:
        return
    if any(state in STANDING for state in states):
        order.state = "paid"
    else:
        order.state = "refunded" if all(state == "refunded" for state in states) else "disputed"
    uow.session.flush()


def kept_of(uow: UnitOfWork, order: Order) -> Kept:
    """How much of an order's price was not refunded or lost. What was paid twice may go back once."""
    mine = Payment.order_id == order.id
    sums = select(
        func.coalesce(func.sum(Payment.amount_cents), 0), func.coalesce(func.sum(Payment.refunded_cents), 0)
    )
    paid, refunded = uow.session.execute(sums.where(mine)).one()
    disputes = select(func.coalesce(func.sum(PaymentReversal.amount_cents), 0)).join(
        Payment, Payment.id == PaymentReversal.payment_id
    )
    lost = uow.session.scalar(disputes.where(mine, PaymentReversal.state == "lost")) or 0
    price = min(order.amount_cents, int(paid))
    return Kept(cents=max(min(price, int(paid) - int(refunded) - int(lost)), 0), of=price)


def locked(uow: UnitOfWork, public_id: str) -> Order:
    """The order of this public id, locked. Raises `NotYetKnown`."""
    order = lock_where(uow, Order, Order.public_id == public_id)
    if order is None:
        raise NotYetKnown("There is no such order.")
    return order
