"""Step 4, second half: what a reversal takes back, from whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.engine.arithmetic import Ints, added, share
from portal.engine.events import EVENT_KINDS, REVENUE_KINDS, Events, History
from portal.engine.inputs import Inputs
from portal.engine.lines import Lines
from portal.engine.sale_lines import Sales, Uplines, sale_lines


def reversal_lines(inputs: Inputs, uplines: Uplines) -> Lines:
    """Take back from the same receivers what the reversed events brought, now or earlier."""
    events, history = inputs.events, inputs.history
    reversals = _in_order(events)
    if not len(reversals):
        return Lines.none()
    reversed_now = np.unique(events.reverses[reversals])
    reversed_now = reversed_now[reversed_now < len(events)]
    paid = _lines_of_reversed(
        events, history, Sales(inputs.plan, inputs.network, events, uplines, reversed_now)
    )
    pair, row = _pairs(events.reverses[reversals], paid.source)
    paid = paid.where(row)
    of_revenue = np.isin(paid.kind, REVENUE_KINDS)
    by_volume, by_revenue = (
        _Reversed.of(field, events, history, reversals=reversals) for field in ("volume", "revenue")
    )
    base, before, now = (
        np.where(of_revenue, revenue[pair], volume[pair])
        for revenue, volume in zip(by_revenue.columns(), by_volume.columns(), strict=True)
    )
    amount = _taken_back(paid.amount, base, before, now)
    some = np.nonzero(amount)[0]
    columns = (paid.member, paid.kind, -amount, -now, reversals[pair], paid.level)
    return Lines(*[column[some] for column in columns])


@dataclass(frozen=True)
class _Reversed:
    """Per reversal: what its original was worth, what was reversed before, and what is reversed now."""

    base: Ints
    before: Ints
    now: Ints

    def columns(self) -> tuple[Ints, Ints, Ints]:
        return self.base, self.before, self.now

    @staticmethod
    def of(field: str, events: Events, history: History, *, reversals: Ints) -> _Reversed:
        """Read one of the two bases; `reversals` stand in order, those of one original together."""
        target = events.reverses[reversals]
        values = getattr(events, field)
        earlier = np.append(np.zeros(len(events), np.int64), getattr(history, f"reversed_{field}"))
        now = -values[reversals]
        running = np.cumsum(now) - now
        _, first, group = np.unique(target, return_index=True, return_inverse=True)
        before = added(earlier[target], running - running[first][group], f"events: reversed {field}")
        return _Reversed(np.append(values, getattr(history, field))[target], before, now)


def _in_order(events: Events) -> Ints:
    """The reversals by original, and those of one original by time and order."""
    rows = np.nonzero(events.reverses >= 0)[0]
    return rows[np.lexsort((events.order[rows], events.at[rows], events.reverses[rows]))]


def _lines_of_reversed(events: Events, history: History, sales: Sales) -> Lines:
    """All event-level lines that can be taken back, by their source: this cycle's and those of `history`."""
    counted = np.nonzero(np.isin(history.line_kind, EVENT_KINDS) & (history.line_source >= 0))[0]
    past = Lines(
        history.line_member,
        history.line_kind,
        history.line_amount,
        np.zeros_like(history.line_amount),
        history.line_source + len(events),
        history.line_level,
    )
    both = Lines.join([*sale_lines(sales), past.where(counted)])
    return both.where(np.argsort(both.source, kind="stable"))


def _pairs(wanted: Ints, source: Ints) -> tuple[Ints, Ints]:
    """All pairs (place in `wanted`, row in `source`) of equal values; `source` is sorted."""
    start, end = np.searchsorted(source, wanted, "left"), np.searchsorted(source, wanted, "right")
    count = end - start
    pair = np.repeat(np.arange(len(wanted)), count)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    return pair, start[pair] + within


def _taken_back(amount: Ints, base: Ints, before: Ints, now: Ints) -> Ints:
    """The part of a line that falls to this reversal; cumulative, so that parts never drift."""
    divisor = np.maximum(base, 1)
    part = share(amount, before + now, divisor) - share(amount, before, divisor)
    return np.where(base > 0, part, 0)
