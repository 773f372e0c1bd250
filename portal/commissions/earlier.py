"""What earlier cycles hand on: carry, volume that still counts for activity, lines that may be reversed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import SelectBase, case, func, select
from sqlalchemy.orm import Session

from portal.engine import EVENT_KINDS, KINDS, History, Plan, State, calculate
from portal.models import Carry, CommissionLine, Cycle, PastVolume, Sale
from portal.store.columns import read_columns

Ints = NDArray[np.int64]

_STATE = ("carry_left", "carry_right", "matched_to_date", "paid_to_date", "inactive_cycles")
_SALES_AT_ONCE = 500


@dataclass
class EarlierCycles:
    """Answers about the cycles before one; each table has a first column that says whose or which it is."""

    session: Session
    cycle: Cycle
    carried: list[Ints]
    prior_volume: list[Ints]
    unclosed_lines: list[Ints] = field(default_factory=list)

    def state(self, consultants: Ints) -> State:
        """The state that each of these consultants carries into the cycle."""
        (prior,) = _spread(self.prior_volume, consultants)
        return State(prior, *_spread(self.carried, consultants))

    def history(self, sales: Ints, consultants: Ints) -> History:
        """The sales of earlier cycles with these ids, and what was paid for them."""
        if not len(sales):
            return History.none()
        wanted = [
            sales[start : start + _SALES_AT_ONCE].tolist() for start in range(0, len(sales), _SALES_AT_ONCE)
        ]
        facts = _join([read_columns(self.session, _originals(some), width=4) for some in wanted])
        taken = _join([read_columns(self.session, self._reversed(some), width=3) for some in wanted])
        lines = _join([read_columns(self.session, _lines(some), width=5) for some in wanted])
        if self.unclosed_lines:
            fresh = np.isin(self.unclosed_lines[3], sales)
            lines = [np.append(old, new[fresh]) for old, new in zip(lines, self.unclosed_lines, strict=True)]
        order = np.argsort(facts[0])
        _, sellers, volume, revenue = (column[order] for column in facts)
        members, kinds, amounts, sources, levels = in_order(lines)
        reversed_volume, reversed_revenue = _spread(taken, sales)
        return History(
            member=_index(consultants, sellers),
            volume=volume,
            revenue=revenue,
            reversed_volume=reversed_volume,
            reversed_revenue=reversed_revenue,
            line_member=_index(consultants, members),
            line_kind=kinds,
            line_amount=amounts,
            line_source=np.searchsorted(sales, sources),
            line_level=levels,
        )

    def _reversed(self, sales: list[int]) -> SelectBase:
        """How much of each sale was reversed before this cycle."""
        return (
            select(Sale.reverses_id, -func.sum(Sale.volume), -func.sum(Sale.revenue_cents))
            .join(Cycle, Cycle.id == Sale.cycle_id)
            .where(Sale.reverses_id.in_(sales), Cycle.starts_at < self.cycle.starts_at)
            .group_by(Sale.reverses_id)
        )


def earlier_cycles(
    session: Session, cycle: Cycle, *, plan: Plan, gather: Callable[[Session, Cycle], Any]
) -> EarlierCycles:
    """Look back from a cycle.

    A previous cycle that is not closed yet is computed afresh with `gather`, so that a projection builds on
    what its close will say.
    """
    prior_volume = _prior_volume(session, cycle, window=plan.activity.window_cycles)
    previous = None if cycle.previous_id is None else session.get_one(Cycle, cycle.previous_id)
    if previous is None:
        nothing = [np.zeros(0, np.int64)] * (1 + len(_STATE))
        return EarlierCycles(session, cycle, nothing, prior_volume)
    if previous.close_run_id is not None and previous.closed_at is not None:
        return EarlierCycles(session, cycle, _stored_carry(session, previous.close_run_id), prior_volume)
    gathered = gather(session, previous)
    result = calculate(gathered.inputs)
    carried = [gathered.consultants, *(getattr(result.members, name) for name in _STATE)]
    lines = result.lines.where(np.isin(result.lines.kind, EVENT_KINDS))
    unclosed = [
        gathered.consultants[lines.member],
        lines.kind,
        lines.amount,
        gathered.sales[lines.source],
        lines.level,
    ]
    return EarlierCycles(session, cycle, carried, prior_volume, unclosed)


def _stored_carry(session: Session, run_id: int) -> list[Ints]:
    columns = (
        Carry.left,
        Carry.right,
        Carry.matched_to_date,
        Carry.paid_to_date_cents,
        Carry.inactive_cycles,
    )
    statement = select(Carry.consultant_id, *columns).where(Carry.run_id == run_id)
    return read_columns(session, statement, width=6)


def _prior_volume(session: Session, cycle: Cycle, *, window: int) -> list[Ints]:
    earlier = (
        select(Cycle.id)
        .where(Cycle.starts_at < cycle.starts_at)
        .order_by(Cycle.starts_at.desc())
        .limit(window - 1)
    )
    sold = select(Sale.consultant_id, Sale.volume).where(Sale.cycle_id.in_(earlier))
    brought = select(PastVolume.consultant_id, PastVolume.volume).where(PastVolume.cycle_id.in_(earlier))
    both = sold.union_all(brought).subquery()
    statement = select(both.c.consultant_id, func.sum(both.c.volume)).group_by(both.c.consultant_id)
    return read_columns(session, statement, width=2)


def _originals(sales: list[int]) -> SelectBase:
    return select(Sale.id, Sale.consultant_id, Sale.volume, Sale.revenue_cents).where(Sale.id.in_(sales))


def _lines(sales: list[int]) -> SelectBase:
    kind = case({name: index for index, name in enumerate(KINDS)}, value=CommissionLine.kind)
    return (
        select(
            CommissionLine.consultant_id,
            kind,
            CommissionLine.amount_cents,
            CommissionLine.sale_id,
            CommissionLine.level,
        )
        .join(Cycle, Cycle.close_run_id == CommissionLine.run_id)
        .where(CommissionLine.sale_id.in_(sales), Cycle.closed_at.is_not(None))
    )


def in_order(lines: list[Ints]) -> list[Ints]:
    """Lines (consultant, kind, amount, sale, level) sorted by sale: a database gives rows as it likes.

    The inputs of a close must be those of its preview to the last bit, also in their order.
    """
    members, kinds, amounts, sources, levels = lines
    order = np.lexsort((amounts, levels, kinds, members, sources))
    return [column[order] for column in lines]


def _join(parts: list[list[Ints]]) -> list[Ints]:
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _index(sorted_ids: Ints, wanted: Ints) -> Ints:
    return np.searchsorted(sorted_ids, wanted).astype(np.int64)


def _spread(table: list[Ints], wanted: Ints) -> list[Ints]:
    """The value columns of a table with a row for each wanted id; 0 where the table has none."""
    order = np.argsort(table[0])
    ids = table[0][order]
    at = np.minimum(np.searchsorted(ids, wanted), max(len(ids) - 1, 0))
    known = ids[at] == wanted if len(ids) else np.zeros(len(wanted), np.bool_)
    spread = []
    for column in table[1:]:
        values = np.zeros(len(wanted), np.int64)
        values[known] = column[order][at[known]]
        spread.append(values)
    return spread
