"""What somebody needs: the distance to more pay, to the next rank, to expiry, as they stand at this moment.

The engine reckons it from the few figures that the projection holds of everybody, with the live legs in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.commissions import projection
from portal.commissions.projection import Projected
from portal.engine import Plan
from portal.engine.explaining import Expiry, Figures, Missing, NextPay, expiries_by, missing_by, next_pay_by
from portal.models import Carry, CommissionLine, Consultant, Cycle, PaidRank, PlanVersion


@dataclass(frozen=True)
class Needs:
    """How far somebody is, by the projection of the moment `at` and the legs of now."""

    missing: Sequence[Missing]
    expires: Sequence[Expiry]
    next_pay: NextPay | None
    plan: Plan
    now: Figures
    at: datetime

    @property
    def rank(self) -> str | None:
        """The rank that is held as it stands; None for none."""
        return self.plan.ranks[self.now.rank].name if self.now.rank >= 0 else None

    @property
    def next_rank(self) -> str | None:
        """The rank after that; None at the top."""
        return next((rank.name for rank in self.plan.ranks[self.now.rank + 1 :]), None)


@dataclass(frozen=True)
class PastCycle:
    """One closed cycle of a consultant: volumes in hundredths, what it paid in cents, the rank or none."""

    cycle: Cycle
    rank: str | None
    new_left: int
    new_right: int
    left: int
    right: int
    total: int


def needs_of(session: Session, consultant: Consultant, record: Projected | None) -> Needs | None:
    """What a consultant needs who stands so; None while nothing was projected yet, or without a place."""
    published = projection.published()
    cycle = session.get(Cycle, published.cycle_id) if published else None
    if record is None or published is None or cycle is None or not record.known:
        return None
    plan = _plan(cycle.plan_version)
    now = Figures(**{field.name: getattr(record, field.name) for field in fields(Figures)})
    return Needs(
        missing=missing_by(plan, consultant.pack, now),
        expires=expiries_by(plan, now),
        next_pay=next_pay_by(plan, consultant.pack, now),
        plan=plan,
        now=now,
        at=published.at,
    )


def past_cycles(
    session: Session, consultant_id: int, *, until: datetime | None = None, limit: int = 26
) -> list[PastCycle]:
    """Rank, legs and carry of the closed cycles that were over by `until`, newest first."""
    run = Cycle.close_run_id
    paid = (
        select(func.sum(CommissionLine.amount_cents))
        .where(CommissionLine.run_id == run, CommissionLine.consultant_id == consultant_id)
        .scalar_subquery()
    )
    statement = (
        select(Cycle, PaidRank.code, Carry, paid)
        .outerjoin(PaidRank, (PaidRank.run_id == run) & (PaidRank.consultant_id == consultant_id))
        .outerjoin(Carry, (Carry.run_id == run) & (Carry.consultant_id == consultant_id))
        .where(Cycle.state.in_(("closed", "paid")))
        .order_by(Cycle.starts_at.desc())
        .limit(limit)
    )
    if until is not None:
        statement = statement.where(Cycle.until <= until)
    return [_past(*row) for row in session.execute(statement)]


def best_rank(session: Session, consultant_id: int) -> str | None:
    """The highest rank that any closed cycle paid somebody as; None for none."""
    statement = (
        select(PaidRank.code)
        .join(Cycle, Cycle.close_run_id == PaidRank.run_id)
        .where(PaidRank.consultant_id == consultant_id, Cycle.state.in_(("closed", "paid")))
        .order_by(PaidRank.place.desc(), Cycle.starts_at.desc())
        .limit(1)
    )
    return session.scalar(statement)


def _past(cycle: Cycle, rank: str | None, carry: Carry | None, paid: int | None) -> PastCycle:
    legs = (carry.new_left, carry.new_right, carry.left, carry.right) if carry else (0, 0, 0, 0)
    return PastCycle(cycle, rank, *legs, total=int(paid or 0))


def _plan(version: PlanVersion) -> Plan:
    """The plan of a version, read once: the document of a hash never changes."""
    if version.sha256 not in _plans:
        _plans.clear()
        _plans[version.sha256] = Plan.parse(dict(version.document))
    return _plans[version.sha256]


_plans: dict[str, Plan] = {}
