"""Step 4, second half: what a reversal takes back, from whom."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from portal.engine.arithmetic import Ints, added, narrowed, share
from portal.engine.blocks import blocks
from portal.engine.events import EVENT_KINDS, REVENUE_KINDS, Events
from portal.engine.inputs import Inputs
from portal.engine.lines import Lines
from portal.engine.sale_lines import Sales, Uplines, sale_lines

LINES_OF_A_SALE: Final = 8  # more or less


def reversal_lines(inputs: Inputs, uplines: Uplines) -> Lines:
    """Take back from the same receivers what the reversed events brought, now or earlier."""
    rows = _in_order(inputs.events)
    if not len(rows):
        return Lines.none()
    past = _past_lines(inputs)
    target = inputs.events.reverses[rows]
    by_volume, by_revenue = (_Reversed.of(unit, inputs, rows) for unit in ("volume", "revenue"))
    bundles = []
    for some in blocks(len(rows), each=LINES_OF_A_SALE):
        paid = _lines_of_reversed(inputs, uplines, target[some], past)
        pair, row = _pairs(target[some], paid.source)
        of_revenue = np.isin(paid.kind[row], REVENUE_KINDS)
        base, before, now = (
            np.where(of_revenue, revenue[some][pair], volume[some][pair])
            for revenue, volume in zip(by_revenue, by_volume, strict=True)
        )
        amount = _taken_back(paid.amount[row], base, before, now)
        columns = (paid.member[row], paid.kind[row], -amount, -now, rows[some][pair], paid.level[row])
        bundles.append(Lines(*map(narrowed, columns)).where(np.nonzero(amount)[0]))
    return Lines.join(bundles)


class _Reversed(NamedTuple):
    """Per reversal: what its original was worth, what was reversed before, and what is reversed now."""

    base: Ints
    before: Ints
    now: Ints

    @staticmethod
    def of(unit: str, inputs: Inputs, rows: Ints) -> _Reversed:
        """Read one of the two bases; the reversals' rows stand in order, those of one original together."""
        events, history = inputs.events, inputs.history
        target = events.reverses[rows]
        past = np.nonzero(target >= len(events))[0]
        in_history = target[past] - len(events)
        values = getattr(events, unit)
        base, earlier = values[target % len(events)], np.zeros(len(target), np.int64)
        base[past] = getattr(history, unit)[in_history]
        earlier[past] = getattr(history, f"reversed_{unit}")[in_history]
        now = -values[rows]
        running = np.cumsum(now) - now
        _, first, group = np.unique(target, return_index=True, return_inverse=True)
        before = added(earlier, running - running[first][group], f"events: reversed {unit}")
        return _Reversed(base, before, now)


def _in_order(events: Events) -> Ints:
    """The reversals by original, and those of one original by time and order."""
    rows = np.nonzero(events.reverses >= 0)[0]
    return rows[np.lexsort((events.order[rows], events.at[rows], events.reverses[rows]))]


def _past_lines(inputs: Inputs) -> Lines:
    """The lines of earlier cycles that can be taken back, by their source."""
    history = inputs.history
    past = Lines(
        history.line_member,
        history.line_kind,
        history.line_amount,
        np.zeros_like(history.line_amount),
        history.line_source + len(inputs.events),
        history.line_level,
    )
    counted = np.nonzero(np.isin(history.line_kind, EVENT_KINDS) & (history.line_source >= 0))[0]
    return past.where(counted[np.argsort(past.source[counted], kind="stable")])


def _lines_of_reversed(inputs: Inputs, uplines: Uplines, target: Ints, past: Lines) -> Lines:
    """All event-level lines of the reversed events, by their source: this cycle's and `past` ones."""
    events = inputs.events
    reversed_now = np.unique(target[target < len(events)])
    sales = Sales(inputs.plan, inputs.network, events, uplines, reversed_now)
    of_these = slice(*np.searchsorted(past.source, [target[0], target[-1] + 1]).tolist())
    both = Lines.join([*sale_lines(sales), past.where(of_these)])
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
