"""A run beside another, mostly the one of the cycle before: what changed by kind, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from portal.commissions.beside import Beside
from portal.commissions.differences import Move, Pair, biggest_moves, in_run
from portal.commissions.queries import Totals, totals_of
from portal.models import (
    Carry,
    CommissionLine,
    Consultant,
    Contract,
    Cycle,
    Person,
    Run,
    Sale,
    Service,
    Vendor,
)

CARRIES_SHOWN = 100


@dataclass(frozen=True)
class Change:
    """Cents of one kind in both runs; `corrections` holds every line below zero."""

    kind: str
    before: int
    now: int


@dataclass(frozen=True)
class Review:
    """Everything an admin looks at before saying yes; `before` is the run of the cycle before."""

    pair: Pair
    run: Run
    totals: Totals
    before: Totals | None
    before_name: str
    changes: list[Change]
    moves: list[Move]


@dataclass(frozen=True)
class Revenue:
    """What one service of a vendor sold in a cycle: volume in hundredths, revenue in cents."""

    vendor: str
    service: str
    sales: int
    volume: int
    revenue: int


@dataclass(frozen=True)
class Legs:
    """Volume of all legs, in hundredths: carried in + new + restored = matched + expired + carried."""

    carried_in: int
    new: int
    restored: int
    matched: int
    expired: int
    carried: int


@dataclass(frozen=True)
class Carried:
    """What one consultant hands on to the next cycle, in hundredths of volume."""

    name: str
    public_id: str
    code: str
    left: int
    right: int


def review_of(session: Session, both: Beside) -> Review | None:
    """The run of a cycle beside the run of the cycle before it; None while there is none."""
    run, old = both.run, both.old
    if run is None or run.totals is None:
        return None
    pair = Pair(both.cycle, run.id, old.id if old else 0)
    return Review(
        pair=pair,
        run=run,
        totals=totals_of(run),
        before=totals_of(old) if old else None,
        before_name=both.previous.name if both.previous else "",
        changes=changes(session, pair),
        moves=biggest_moves(session, pair),
    )


def changes(session: Session, pair: Pair) -> list[Change]:
    """Both runs by kind, the largest first, corrections last."""
    kind = case((CommissionLine.amount_cents < 0, "corrections"), else_=CommissionLine.kind)
    rows = session.execute(
        select(kind, func.sum(in_run(pair.before)), func.sum(in_run(pair.now)))
        .where(CommissionLine.run_id.in_((pair.now, pair.before)))
        .group_by(kind)
    )
    found = [Change(name, int(old), int(new)) for name, old, new in rows]
    return sorted(found, key=lambda change: (change.kind == "corrections", -change.now, change.kind))


def revenue_of(session: Session, cycle: Cycle) -> list[Revenue]:
    """What a cycle's payout ratio is measured against, by vendor and service."""
    rows = session.execute(
        select(
            Vendor.name,
            Service.name,
            func.count(),
            func.coalesce(func.sum(Sale.volume), 0),
            func.coalesce(func.sum(Sale.revenue_cents), 0),
        )
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .join(Vendor, Vendor.id == Service.vendor_id)
        .where(Sale.cycle_id == cycle.id)
        .group_by(Vendor.name, Service.name)
        .order_by(func.sum(Sale.revenue_cents).desc(), Vendor.name, Service.name)
    )
    return [Revenue(vendor, service, *(int(sum_) for sum_ in sums)) for vendor, service, *sums in rows]


def legs_of(session: Session, run_id: int, *, before: Totals | None) -> Legs:
    """The volume of all legs in a run, added up again from its rows; `before` handed its carry on."""
    both = (
        func.sum(Carry.new_left + Carry.new_right),
        func.sum(Carry.restored * 2),
        func.sum(Carry.taken_left + Carry.taken_right),
        func.sum(Carry.expired_left + Carry.expired_right),
        func.sum(Carry.left + Carry.right),
    )
    row = session.execute(select(*both).where(Carry.run_id == run_id)).one()
    return Legs(before.carried if before else 0, *(int(found or 0) for found in row))


def largest_carries(session: Session, run_id: int) -> list[Carried]:
    """Who hands most on to the next cycle, both legs together."""
    both = Carry.left + Carry.right
    rows = session.execute(
        select(Person.name, Consultant.public_id, Consultant.code, Carry.left, Carry.right)
        .join(Consultant, Consultant.id == Carry.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(Carry.run_id == run_id, both > 0)
        .order_by(both.desc(), Consultant.id)
        .limit(CARRIES_SHOWN)
    )
    return [Carried(*row) for row in rows]
