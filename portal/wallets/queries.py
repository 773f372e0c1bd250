"""Reads for the wallet's pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from portal.commissions.queries import rate_of
from portal.kernel.errors import NotYours
from portal.kernel.money import round_half_away
from portal.ledger import statements
from portal.ledger.entries import entries_by_key
from portal.ledger.statements import Movement
from portal.models import CommissionLine, Consultant, Contract, Customer, Cycle, Person, Sale, Service

ENTRIES_A_PAGE = 20
RATE_UNIT = 10_000
INSIDE = {"pending", "available", "receivable"}
_PAID_FROM = ("bank", "stripe_balance", "payout_fees", "tax_withheld")
SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "all": (),
    "earned": (("commission_expense", "pending"), ("commission_expense", "available")),
    "withdrawals": (
        ("available", "reserved"),
        *(("reserved", target) for target in ("available", "receivable", *_PAID_FROM)),
        *((source, target) for source in _PAID_FROM for target in ("available", "receivable")),
    ),
    "corrections": (
        ("pending", "commission_expense"),
        ("available", "commission_expense"),
        ("receivable", "commission_expense"),
        ("pending", "receivable"),
        ("write_off", "receivable"),
        *((source, "adjustments") for source in ("pending", "available", "receivable")),
        *(("adjustments", target) for target in ("available", "receivable")),
    ),
}


@dataclass(frozen=True)
class Row:
    """A movement as it is shown; `change` is what it does to all that is held and free, in cents."""

    movement: Movement
    change: int


@dataclass(frozen=True)
class Page:
    """A page of the history: days with their rows, and where the next page begins."""

    days: list[tuple[date, list[Row]]]
    older: int | None


@dataclass(frozen=True)
class Week:
    """A closed cycle and what it brought a consultant, in cents."""

    cycle: Cycle
    total: int


@dataclass(frozen=True)
class Line:
    """One line of a statement; `base` in hundredths of what its kind is paid from, `rate` in ten-thousandths.

    `rate` is None where the plan has no single rate that makes the amount.
    """

    id: int
    kind: str
    amount: int
    base: int
    rate: int | None
    at: datetime | None
    service: str
    customer: str
    seller: str


@dataclass(frozen=True)
class Statement:
    """All lines of one consultant in one closed cycle, by kind, with their sums in cents."""

    cycle: Cycle
    kinds: list[tuple[str, int, list[Line]]]
    total: int


def history_page(
    session: Session,
    consultant_id: int,
    *,
    show: str,
    before: int | None,
    day_of: Callable[[datetime], date],
) -> Page:
    """A page of the history, by day, newest first."""
    movements = statements.history(
        session, consultant_id, before_entry=before, limit=ENTRIES_A_PAGE + 1, pairs=SHOWN[show]
    )
    entries = sorted({movement.entry_id for movement in movements}, reverse=True)
    shown = set(entries[:ENTRIES_A_PAGE])
    rows = [Row(each, _change(each)) for each in movements if each.entry_id in shown]
    days = [(day, list(some)) for day, some in groupby(rows, lambda row: day_of(row.movement.at))]
    return Page(days, older=entries[ENTRIES_A_PAGE - 1] if len(entries) > ENTRIES_A_PAGE else None)


def closed_weeks(session: Session, consultant_id: int, *, limit: int = 12) -> list[Week]:
    """The last closed cycles, newest first."""
    closed = select(Cycle).where(Cycle.state.in_(("closed", "paid"))).order_by(Cycle.starts_at.desc())
    cycles = session.scalars(closed.limit(limit)).all()
    sums = (
        select(CommissionLine.run_id, func.sum(CommissionLine.amount_cents))
        .where(CommissionLine.consultant_id == consultant_id)
        .where(CommissionLine.run_id.in_([cycle.close_run_id for cycle in cycles]))
        .group_by(CommissionLine.run_id)
    )
    totals = {run_id: int(total) for run_id, total in session.execute(sums)}
    return [Week(cycle, totals.get(cycle.close_run_id or 0, 0)) for cycle in cycles]


def statement(session: Session, consultant_id: int, name: str) -> Statement:
    """The lines of a closed cycle; raises `NotYours` for one that is not closed or not there."""
    cycle = session.scalar(select(Cycle).where(Cycle.name == name, Cycle.state.in_(("closed", "paid"))))
    if cycle is None or cycle.close_run_id is None:
        raise NotYours("There is no closed cycle of this name.")
    lines = _lines(session, consultant_id, cycle)
    kinds = []
    for kind, some in groupby(lines, lambda line: line.kind):
        of_kind = list(some)
        kinds.append((kind, sum(line.amount for line in of_kind), of_kind))
    return Statement(cycle, kinds, total=sum(line.amount for line in lines))


def booked(session: Session, consultant_id: int, found: Statement) -> dict[str, tuple[int, int]]:
    """For each kind of a closed week the entry that booked its lines, and the cents it moved."""
    keys = {
        f"run-{found.cycle.close_run_id}-consultant-{consultant_id}-{kind}": kind
        for kind, _, _ in found.kinds
    }
    return {keys[key]: entry for key, entry in entries_by_key(session, list(keys)).items()}


def _lines(session: Session, consultant_id: int, cycle: Cycle) -> Sequence[Line]:
    seller = aliased(Consultant)
    buyer, seller_person = aliased(Person), aliased(Person)
    question = (
        select(
            CommissionLine.id,
            CommissionLine.kind,
            CommissionLine.amount_cents,
            CommissionLine.base,
            Sale.occurred_at,
            Service.name,
            func.coalesce(buyer.name, Customer.ref),
            seller_person,
        )
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .outerjoin(Contract, Contract.id == Sale.contract_id)
        .outerjoin(Service, Service.id == Contract.service_id)
        .outerjoin(Customer, Customer.id == Contract.customer_id)
        .outerjoin(buyer, buyer.id == Customer.person_id)
        .outerjoin(seller, seller.id == Sale.consultant_id)
        .outerjoin(seller_person, seller_person.id == seller.person_id)
        .where(CommissionLine.run_id == cycle.close_run_id, CommissionLine.consultant_id == consultant_id)
        .order_by(CommissionLine.kind, Sale.occurred_at, CommissionLine.id)
    )
    document, pack = dict(cycle.plan_version.document), session.get_one(Consultant, consultant_id).pack
    rates = {kind: rate_of(document, kind, pack) for kind in ("retail", "direct", "binary")}
    return [
        Line(
            id=line_id,
            kind=kind,
            amount=amount,
            base=base,
            rate=_explaining(rates.get(kind), base=base, amount=amount),
            at=at,
            service=service or "",
            customer=customer or "",
            seller=person.short_name if person else "",
        )
        for line_id, kind, amount, base, at, service, customer, person in session.execute(question)
    ]


def _explaining(rate: int | None, *, base: int, amount: int) -> int | None:
    """The rate, where it makes the amount: the pack may have changed, and a plan may pay in other ways."""
    return rate if rate and round_half_away(base * rate, RATE_UNIT) == amount else None


def _change(movement: Movement) -> int:
    leaves, arrives = movement.taken_from in INSIDE, movement.given_to in INSIDE
    if leaves == arrives:
        return 0
    return int(movement.amount) if arrives else -int(movement.amount)
