"""Step 4: the lines that events bring, and their reversals; and lines as columns in general."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, RATE_UNIT, Flags, Ints, added, frozen, rounded_share, share
from portal.engine.events import (
    DIRECT,
    EVENT_KINDS,
    FIRST_LEVEL,
    NONE,
    RETAIL,
    REVENUE_KINDS,
    Events,
    History,
)
from portal.engine.network import ACTIVE, Network
from portal.engine.plan import Plan, by_pack


@dataclass(frozen=True)
class Lines:
    """Lines as columns, in no particular order.

    `member`: who gets it. `kind`: index into KINDS. `amount` in cents. `base`: what the rate was applied
    to, in hundredths. `source`: the event, or the member matched for `matching`, or -1. `level`: as the
    rules count it.
    """

    member: Ints
    kind: Ints
    amount: Ints
    base: Ints
    source: Ints
    level: Ints

    def __len__(self) -> int:
        return len(self.member)

    def where(self, chosen: Flags | Ints) -> Lines:
        """The chosen lines."""
        return Lines(*[getattr(self, field.name)[chosen] for field in fields(self)])

    def paid(self) -> Lines:
        """Without the lines whose amount is 0, and read-only."""
        some = self.where(self.amount != 0)
        return Lines(*[frozen(getattr(some, field.name)) for field in fields(some)])

    @staticmethod
    def of(kind: int, member: Ints, amount: Ints, base: Ints, source: Ints | int = NONE) -> Lines:
        """Lines of one kind; the level is that of the kind's first receiver."""
        level = FIRST_LEVEL[kind]
        columns = np.broadcast_arrays(member, np.int64(kind), amount, base, np.int64(source), np.int64(level))
        return Lines(*columns)

    @staticmethod
    def join(parts: Sequence[Lines]) -> Lines:
        """All lines of several parts; at least one part."""
        columns = [[getattr(part, field.name) for part in parts] for field in fields(Lines)]
        return Lines(*[np.concatenate(column).astype(np.int64, copy=False) for column in columns])


def event_lines(plan: Plan, network: Network, events: Events, active: Flags) -> Lines:
    """What every sale brings to whom, in the order of the kinds."""
    sales = np.nonzero(events.reverses == NONE)[0]
    parts = [_retail(plan, network, events, sales)]
    if plan.direct is not None:
        parts.append(_direct(plan, network, events, sales[active_sponsor(network, events, sales, active)]))
    return Lines.join(parts).paid()


def active_sponsor(network: Network, events: Events, sales: Ints, active: Flags) -> Flags:
    """Whether the seller of each sale has a sponsor, and an active one."""
    sponsor = network.sponsor[events.member[sales]]
    return (sponsor >= 0) & active[sponsor]


def _retail(plan: Plan, network: Network, events: Events, sales: Ints) -> Lines:
    """To the seller, by the service's own table where it has one."""
    sales = sales[network.status[events.member[sales]] == ACTIVE]
    seller, revenue = events.member[sales], events.revenue[sales]
    tables = [*(plan.retail if own is None else own for own in plan.service_retail), plan.retail]
    rates = np.stack([by_pack(table, network.packs) for table in tables])
    rate = rates[events.service[sales], network.pack[seller]]
    return Lines.of(RETAIL, seller, rounded_share(revenue, rate, RATE_UNIT), revenue, sales)


def _direct(plan: Plan, network: Network, events: Events, sales: Ints) -> Lines:
    """To the seller's sponsor."""
    sponsor, volume = network.sponsor[events.member[sales]], events.volume[sales]
    value = by_pack(plan.direct, network.packs)[network.pack[sponsor]] * plan.point_value
    return Lines.of(DIRECT, sponsor, rounded_share(volume, value, MONEY_UNIT), volume, sales)


def reversal_lines(events: Events, history: History, lines: Lines) -> Lines:
    """Take back from the same receivers what the reversed events brought, now (`lines`) or earlier."""
    reversals = _in_order(events)
    if not len(reversals):
        return Lines.join([lines.where(np.zeros(0, np.int64))])
    paid = _lines_of_reversed(events, history, lines)
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
    return Lines(paid.member, paid.kind, -amount, -now, reversals[pair], paid.level).paid()


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


def _lines_of_reversed(events: Events, history: History, lines: Lines) -> Lines:
    """All event-level lines that can be taken back, by their source: this cycle's and those of `history`."""
    counted = np.isin(history.line_kind, EVENT_KINDS) & (history.line_source >= 0)
    no_base = np.zeros(len(history.line_kind), np.int64)
    source = history.line_source + len(events)
    columns = history.line_member, history.line_kind, history.line_amount, no_base, source, history.line_level
    own = lines.where(np.isin(lines.source, events.reverses))
    both = Lines.join([own, Lines(*columns).where(counted)])
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
