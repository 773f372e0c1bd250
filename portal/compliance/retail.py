"""The retail meter: what verified customers bought, against what consultants use themselves.

Each sale belongs to one of three parts by its customer as they are known now: `verified`, when somebody other
than the consultant vouched for them; `own`, the consultant's own household; `unverified`, everybody else. A
reversal belongs where its sale does. So the parts of a cycle add up to the sales of that cycle, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select
from sqlalchemy.orm import Session

from portal.live import Team
from portal.models import CommissionLine, Consultant, Contract, Customer, Cycle, Person, Sale
from portal.store.columns import NONE, read_columns

WHOLE: Final = 10_000
MOST_SHOWN: Final = 20
SMALL_TEAM: Final = 1_000


@dataclass(frozen=True)
class Split:
    """Volume in hundredths, or pay in cents, by whose purchase it comes from."""

    verified: int = 0
    own: int = 0
    unverified: int = 0

    @property
    def total(self) -> int:
        return self.verified + self.own + self.unverified

    @property
    def not_customers(self) -> int:
        """What no verified customer bought."""
        return self.own + self.unverified

    @property
    def share(self) -> int:
        """The part that no verified customer bought, in ten-thousandths; from 0 to 10,000."""
        return share_of(self.not_customers, self.total)


@dataclass(frozen=True)
class OfCycle:
    """The parts of one cycle."""

    cycle: Cycle
    split: Split


@dataclass(frozen=True)
class OfSeller:
    """The parts of what one consultant sold in a cycle."""

    name: str
    code: str
    public_id: str
    split: Split


@dataclass(frozen=True)
class Pay:
    """What a run pays, cents: `traced` to sales, by their customers; `legs` for volume below as a whole.

    Pay for legs, pools and matches is for no single sale; the part of it that comes from customers is taken
    to be theirs of the volume of the cycle, `volume_share` in ten-thousandths.
    """

    run_id: int
    traced: Split
    legs: int
    volume_share: int

    @property
    def total(self) -> int:
        return self.traced.total + self.legs

    @property
    def legs_from_customers(self) -> int:
        """Rounded toward zero, so that no cent too many is said to come from customers."""
        whole = abs(self.legs) * self.volume_share // WHOLE
        return whole if self.legs >= 0 else -whole

    @property
    def from_customers(self) -> int:
        return self.traced.verified + self.legs_from_customers

    @property
    def share(self) -> int:
        """The part of the pay that comes from verified customers, in ten-thousandths."""
        return share_of(self.from_customers, self.total)


def share_of(part: int, whole: int) -> int:
    """A part of a whole in ten-thousandths; with refunds either may be below zero, a share never is."""
    return min(max(part, 0) * WHOLE // whole, WHOLE) if whole > 0 else 0


def by_cycle(session: Session, *, most: int, consultant_id: int | None = None) -> list[OfCycle]:
    """The latest cycles, the oldest first: of the company, or of what one consultant sold."""
    cycles = session.scalars(select(Cycle).order_by(Cycle.starts_at.desc()).limit(most)).unique().all()
    sums = _sums(Sale.cycle_id).where(Sale.cycle_id.in_([cycle.id for cycle in cycles]))
    if consultant_id is not None:
        sums = sums.where(Sale.consultant_id == consultant_id)
    found = {row[0]: _split(row[1:]) for row in session.execute(sums.group_by(Sale.cycle_id))}
    return [OfCycle(cycle, found.get(cycle.id, Split())) for cycle in reversed(cycles)]


def by_leg(session: Session, cycle_id: int, team: Team) -> dict[str, Split]:
    """The parts of both legs, `L` and `R`, of whoever a team stands below, in a cycle.

    A small team is asked for by name; for a large one the sales of the cycle are summed up by seller in one
    pass, and each sum goes to the leg its seller stands on.
    """
    sums = _sums(Sale.consultant_id).where(Sale.cycle_id == cycle_id).group_by(Sale.consultant_id)
    if len(team.ids) <= SMALL_TEAM:
        sums = sums.where(Sale.consultant_id.in_(team.ids.tolist()))
    sellers, *parts = read_columns(session, sums, width=4)
    legs = np.full(int(max(sellers.max(initial=0), team.ids.max(initial=0))) + 1, NONE, np.int8)
    legs[team.ids] = team.legs
    on = legs[sellers]
    return {leg: _split([part[on == side].sum() for part in parts]) for side, leg in enumerate("LR")}


def most_own_use(session: Session, cycle_id: int, *, most: int | None = MOST_SHOWN) -> list[OfSeller]:
    """Who sold most to others than verified customers in a cycle; with `most` None everybody who sold."""
    verified, own, unverified = _parts()
    rows = session.execute(
        _joined(select(Person.name, Consultant.code, Consultant.public_id, verified, own, unverified))
        .join(Consultant, Consultant.id == Sale.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(Sale.cycle_id == cycle_id)
        .group_by(Person.name, Consultant.code, Consultant.public_id)
        .order_by((own + unverified).desc(), Consultant.code)
        .limit(most)
    )
    return [OfSeller(row[0], row[1], row[2], _split(row[3:])) for row in rows]


def vouchers(session: Session, cycle_id: int) -> dict[str, int]:
    """Volume of a cycle's verified customers, by who vouched: `vendor`, `order`, `signup`, `admin`."""
    by: Any = Customer.verified_by
    verified, _own, _rest = _kinds()
    sums = _joined(select(by, func.sum(Sale.volume))).where(Sale.cycle_id == cycle_id, verified)
    rows = session.execute(sums.group_by(by))
    return {str(mark): int(volume) for mark, volume in rows}


def pay_of(session: Session, cycle: Cycle, split: Split) -> Pay | None:
    """What the run of a cycle pays, by whose purchase it comes from; None for one that was not computed."""
    run_id = cycle.close_run_id or cycle.preview_run_id
    if run_id is None:
        return None
    amount = CommissionLine.amount_cents
    verified, own, rest = (_sum_where(part, amount) for part in _kinds())
    row = session.execute(
        select(verified, own, rest, _sum_where(CommissionLine.sale_id.is_(None), amount))
        .select_from(CommissionLine)
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .outerjoin(Contract, Contract.id == Sale.contract_id)
        .outerjoin(Customer, Customer.id == Contract.customer_id)
        .where(CommissionLine.run_id == run_id)
    ).one()
    volume_share = share_of(split.verified, split.total)
    return Pay(run_id, _split(row[:3]), int(row[3]), volume_share)


def _kinds() -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    """Whether a sale's customer is verified, the own household, or neither; one of the three holds."""
    vouched = Customer.verified_at.is_not(None)
    stranger = not_(Customer.own_use)
    return and_(stranger, vouched), Customer.own_use.is_(True), and_(stranger, not_(vouched))


def _parts() -> tuple[ColumnElement[Any], ...]:
    return tuple(_sum_where(kind, Sale.volume) for kind in _kinds())


def _sum_where(condition: ColumnElement[bool], amount: Any) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, amount), else_=0)), 0)


def _sums(by: Any) -> Select[Any]:
    return _joined(select(by, *_parts()))


def _joined(statement: Select[Any]) -> Select[Any]:
    """From sales to the customers behind them."""
    return (
        statement.select_from(Sale)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Customer, Customer.id == Contract.customer_id)
    )


def _split(row: Sequence[Any]) -> Split:
    verified, own, unverified = (int(value) for value in row)
    return Split(verified, own, unverified)
