"""One past cycle computed with another plan: what its close computed with, but for the plan and what earlier
cycles of the same trial hand on."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.earlier import earlier_cycles, in_order
from portal.commissions.gathering import Gathered, gather, places, read_services_by_code
from portal.commissions.kept import kept
from portal.commissions.service_terms import entries_of, extended, moved, named
from portal.engine import EVENT_KINDS, History, Inputs, Plan, Result, State, calculate
from portal.models import Cycle, Run, Sale
from portal.store.columns import read_columns

Ints = NDArray[np.int64]

_STATE = ("carry_left", "carry_right", "matched_to_date", "paid_to_date", "inactive_cycles")


@dataclass(frozen=True)
class HandedOn:
    """What a cycle of a trial hands on: state by consultant, sums so far, lines that later cycles reverse.

    `state` holds the columns of `_STATE`; `before` and `after` what everybody got and would have got, in
    cents; `lines` consultant, kind, amount, sale and level.
    """

    consultants: Ints
    state: Ints
    before: Ints
    after: Ints
    sales: Ints
    lines: Ints

    def frozen(self) -> bytes:
        """The same as bytes."""
        file = io.BytesIO()
        np.savez_compressed(file, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return file.getvalue()

    @staticmethod
    def nothing() -> HandedOn:
        """What the first cycle of a trial begins with."""
        none = np.zeros(0, np.int64)
        return HandedOn(
            none, np.zeros((len(_STATE), 0), np.int64), none, none, none, np.zeros((5, 0), np.int64)
        )

    @staticmethod
    def thawed(data: bytes) -> HandedOn:
        """Read back what `frozen` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as columns:
            return HandedOn(**{name: columns[name] for name in HandedOn.__dataclass_fields__})


@dataclass(frozen=True)
class Tried:
    """A past cycle as it was closed and as the plan would have it, and what it hands on."""

    before: Result
    after: Result
    handed_on: HandedOn


def try_cycle(
    session: Session, run: Run, plan: Plan, *, handed_on: HandedOn | None, later: list[int]
) -> Tried:
    """Compute a closed cycle with another plan; `later` are the cycles of the trial that follow it.

    Raises `LookupError` for a run that keeps no inputs or can no longer be computed as it was closed.
    """
    gathered = kept(run)
    before = calculate(gathered.inputs)
    if before.totals.paid != (run.totals or {}).get("paid_cents"):
        raise LookupError(f"run {run.id} can no longer be computed as it was closed")
    cycle = session.get_one(Cycle, run.cycle_id)
    after = calculate(_inputs(session, cycle, gathered, plan=plan, handed_on=handed_on))
    results = before, after, handed_on or HandedOn.nothing()
    return Tried(before, after, _hand_on(session, gathered, results=results, later=later))


def _inputs(
    session: Session, cycle: Cycle, gathered: Gathered, *, plan: Plan, handed_on: HandedOn | None
) -> Inputs:
    kept_inputs = gathered.inputs
    events, state, history = kept_inputs.events, kept_inputs.state, kept_inputs.history
    if plan.services != kept_inputs.plan.services:
        events = replace(events, service=_services(session, cycle, gathered, plan))
        plan = extended(plan, entries_of(kept_inputs.plan))
    if plan.activity.window_cycles != kept_inputs.plan.activity.window_cycles:
        earlier = earlier_cycles(session, cycle, plan=plan, gather=gather)
        state = replace(state, pv_prior=earlier.state(gathered.consultants).pv_prior)
    if handed_on is not None:
        state = _state(state, gathered.consultants, handed_on)
        history = _history(session, cycle, gathered, handed_on)
    return Inputs(plan, kept_inputs.network, events, history, state)


def _services(session: Session, cycle: Cycle, gathered: Gathered, plan: Plan) -> Ints:
    """Places in a plan with the terms of the close: sales by them stay, the rest go by the plan's codes."""
    kept_inputs = gathered.inputs
    whole = extended(plan, entries_of(kept_inputs.plan))
    ids, by_code = read_services_by_code(session, cycle, plan=plan)
    own = moved(by_code[places(ids, gathered.sales)], dict(enumerate(plan.services)), whole)
    names = {place: name for place, name in enumerate(kept_inputs.plan.services) if named(name)}
    shared = moved(kept_inputs.events.service, names, whole)
    return np.where(shared >= 0, shared, own)


def _state(state: State, consultants: Ints, handed_on: HandedOn) -> State:
    at = places(handed_on.consultants, consultants)
    columns = {
        name: np.where(at >= 0, column[at], 0) for name, column in zip(_STATE, handed_on.state, strict=True)
    }
    return replace(state, **columns)


def _history(session: Session, cycle: Cycle, gathered: Gathered, handed_on: HandedOn) -> History:
    """Lines of sales that lie within the trial are those that the trial paid."""
    history = gathered.inputs.history
    if not len(history):
        return history
    originals = _reversed_earlier(session, cycle, gathered)
    own = np.isin(originals, handed_on.sales)
    stays = ~own[history.line_source] if len(history.line_source) else np.zeros(0, np.bool_)
    names = ("line_member", "line_kind", "line_amount", "line_source", "line_level")
    columns = [getattr(history, name)[stays] for name in names]
    consultant, kind, amount, sale, level = handed_on.lines
    wanted = np.isin(sale, originals)
    more = (
        places(gathered.consultants, consultant[wanted]),
        kind[wanted],
        amount[wanted],
        places(originals, sale[wanted]),
        level[wanted],
    )
    joined = in_order([np.append(old, new) for old, new in zip(columns, more, strict=True)])
    return replace(history, **dict(zip(names, joined, strict=True)))


def _reversed_earlier(session: Session, cycle: Cycle, gathered: Gathered) -> Ints:
    """The ids of the sales of earlier cycles that are reversed in this one, in the order of the history."""
    statement = select(Sale.reverses_id).where(Sale.cycle_id == cycle.id, Sale.reverses_id.is_not(None))
    (named,) = read_columns(session, statement, width=1)
    return np.unique(named[places(gathered.sales, named) < 0]) if len(named) else named


def _hand_on(
    session: Session, gathered: Gathered, *, results: tuple[Result, Result, HandedOn], later: list[int]
) -> HandedOn:
    before, after, past = results
    everybody = np.union1d(past.consultants, gathered.consultants)
    here, there = places(gathered.consultants, everybody), places(past.consultants, everybody)
    state = [
        np.where(here >= 0, _at(getattr(after.members, name), here), _at(column, there))
        for name, column in zip(_STATE, past.state, strict=True)
    ]
    sales, lines = _lines_reversed_later(session, gathered, after=after, later=later)
    return HandedOn(
        consultants=everybody,
        state=np.stack(state),
        before=_at(before.members.total, here) + _at(past.before, there),
        after=_at(after.members.total, here) + _at(past.after, there),
        sales=np.union1d(past.sales, sales),
        lines=np.concatenate([past.lines, lines], axis=1),
    )


def _at(column: Ints, places: Ints) -> Ints:
    """A column's values at some places; 0 at -1."""
    values: Ints = np.append(column, 0)[places]
    return values


def _lines_reversed_later(
    session: Session, gathered: Gathered, *, after: Result, later: list[int]
) -> tuple[Ints, Ints]:
    """Which sales of this cycle later cycles of the trial reverse, and what the trial paid for them."""
    statement = select(Sale.reverses_id).where(Sale.cycle_id.in_(later), Sale.reverses_id.is_not(None))
    (named,) = read_columns(session, statement, width=1)
    sales = np.intersect1d(named, gathered.sales)
    rows = [_paid_for(part, gathered, sales) for part in after.parts if part.is_all(*EVENT_KINDS)]
    empty = np.zeros((5, 0), np.int64)
    return sales, np.concatenate([empty, *rows], axis=1)


def _paid_for(part: Any, gathered: Gathered, sales: Ints) -> Ints:
    source = gathered.sales[part.source]
    some = np.nonzero(np.isin(source, sales) & (part.amount > 0))[0]
    columns = (
        gathered.consultants[part.member[some]],
        part.kind[some],
        part.amount[some],
        source[some],
        part.level[some],
    )
    return np.stack([column.astype(np.int64) for column in columns])
