"""Step 4, first half: what every sale brings, by event-level kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, RATE_UNIT, Flags, Ints, rounded_share
from portal.engine.blocks import blocks
from portal.engine.events import DIRECT, MATRIX, NONE, RETAIL, REVENUE_SHARE, UNILEVEL, Events
from portal.engine.inputs import Inputs
from portal.engine.lines import Lines, Sheaf
from portal.engine.network import ACTIVE, Network
from portal.engine.parts import Levels
from portal.engine.plan import Plan, by_pack
from portal.engine.uplines import Level, Upline, Walk


@dataclass(frozen=True)
class Uplines:
    """The lines upward of one cycle, each made when it is first asked for and then shared by all kinds."""

    network: Network
    active: Flags

    @cached_property
    def _made(self) -> dict[tuple[str, bool], Upline]:
        return {}

    def of_sponsors(self, *, compress: bool) -> Upline:
        """The sponsor line."""
        return self._of("sponsor", compress)

    def of_matrix(self, *, compress: bool) -> Upline:
        """The matrix line."""
        return self._of("matrix_parent", compress)

    def _of(self, tree: str, compress: bool) -> Upline:
        if (tree, compress) not in self._made:
            above = getattr(self.network, tree)
            self._made[tree, compress] = Upline(above, self.active, compress=compress)
        return self._made[tree, compress]


@dataclass(frozen=True)
class Sales:
    """Some sales of a cycle, and who is credited with them."""

    plan: Plan
    network: Network
    events: Events
    uplines: Uplines
    rows: Ints

    @cached_property
    def seller(self) -> Ints:
        """Who is credited."""
        return self._of(self.events.member)

    @cached_property
    def volume(self) -> Ints:
        """What the sales are worth in the plan."""
        return self._of(self.events.volume)

    @cached_property
    def revenue(self) -> Ints:
        """The money that the company earned on them."""
        return self._of(self.events.revenue)

    @cached_property
    def service(self) -> Ints:
        """Which service of the plan was sold."""
        return self._of(self.events.service)

    @cached_property
    def _walks(self) -> dict[bool, Walk]:
        return {}

    def above(self, *, compress: bool) -> Iterator[Level]:
        """Level by level the sales with a receiver up the sponsor line, and the receivers."""
        if compress not in self._walks:
            self._walks[compress] = Walk(self.uplines.of_sponsors(compress=compress), self.seller)
        return self._walks[compress].levels()

    def _of(self, column: Ints) -> Ints:
        return column if len(self.rows) == len(column) else column[self.rows]


Step = Callable[[Sales], Iterator[Lines]]


def sale_lines(sales: Sales) -> list[Lines]:
    """What these sales bring to whom, kind by kind."""
    kinds: tuple[Step, ...] = (_retail, _direct, _unilevel, _revenue_share, _matrix)
    return [lines for kind in kinds for lines in kind(sales)] if len(sales.rows) else []


def all_sale_lines(inputs: Inputs, uplines: Uplines) -> list[Lines]:
    """What all events that are no reversals bring, by kind and level; computed block by block."""
    plan, network, events = inputs.plan, inputs.network, inputs.events
    sheaves: dict[tuple[int, int], Sheaf] = {}
    for block in blocks(len(events)):
        rows = block.start + np.nonzero(events.reverses[block] == NONE)[0]
        for lines in sale_lines(Sales(plan, network, events, uplines, rows)):
            if len(lines):
                this = kind, level = int(lines.kind[0]), int(lines.level[0])
                if this not in sheaves:
                    sheaves[this] = Sheaf(kind, level, most=len(events))
                sheaves[this].add(lines)
    return [sheaf.bound() for sheaf in sheaves.values()]


def _retail(sales: Sales) -> Iterator[Lines]:
    """To the seller, if its status is active; by the service's own table where it has one."""
    plan, network = sales.plan, sales.network
    rates = rates_by_service(plan, network.packs)
    if not rates.any():
        return
    standing = np.nonzero(network.status[sales.seller] == ACTIVE)[0]
    seller, revenue = sales.seller[standing], sales.revenue[standing]
    rate = rates[sales.service[standing], network.pack[seller]]
    yield Lines.of(
        RETAIL, seller, rounded_share(revenue, rate, RATE_UNIT), base=revenue, source=sales.rows[standing]
    )


def rates_by_service(plan: Plan, packs: Sequence[str]) -> Ints:
    """The seller's rate by service and pack; the last row is for sales of no service that the plan names."""
    own = [plan.retail if service.retail is None else service.retail for service in plan.service_rates]
    return np.stack([by_pack(table, packs) for table in (*own, plan.retail)])


def _direct(sales: Sales) -> Iterator[Lines]:
    """To the seller's sponsor, if active."""
    plan, network = sales.plan, sales.network
    if plan.direct is None:
        return
    value = by_pack(plan.direct, network.packs) * plan.point_value
    for place, sponsor in sales.above(compress=False):
        volume = sales.volume[place]
        amount = rounded_share(volume, value[network.pack[sponsor]], MONEY_UNIT)
        yield Lines.of(DIRECT, sponsor, amount, base=volume, source=sales.rows[place]).on_level(1)
        return


def _unilevel(sales: Sales) -> Iterator[Lines]:
    """Up the sponsor line from the seller's sponsor."""
    levels = sales.plan.unilevel
    if levels is not None:
        yield from _by_volume(UNILEVEL, sales, levels, sales.above(compress=levels.compress))


def _matrix(sales: Sales) -> Iterator[Lines]:
    """Up the matrix line from the seller's matrix parent."""
    levels = sales.plan.matrix
    if levels is not None:
        line = sales.uplines.of_matrix(compress=levels.compress)
        yield from _by_volume(MATRIX, sales, levels, line.levels(sales.seller))


def _by_volume(kind: int, sales: Sales, levels: Levels, receivers: Iterator[Level]) -> Iterator[Lines]:
    for level, (rate, (place, member)) in enumerate(zip(levels.rates, receivers, strict=False), 1):
        volume = sales.volume[place]
        amount = rounded_share(volume, np.int64(rate * sales.plan.point_value), MONEY_UNIT)
        yield Lines.of(kind, member, amount, base=volume, source=sales.rows[place]).on_level(level)


def _revenue_share(sales: Sales) -> Iterator[Lines]:
    """Up the sponsor line from the seller's sponsor; by the service's own list where it has one."""
    rates = share_rates(sales.plan)
    receivers = sales.above(compress=sales.plan.share_levels.compress)
    for level, (rate, (place, member)) in enumerate(zip(rates, receivers, strict=False), 1):
        revenue = sales.revenue[place]
        amount = rounded_share(revenue, rate[sales.service[place]], RATE_UNIT)
        yield Lines.of(REVENUE_SHARE, member, amount, base=revenue, source=sales.rows[place]).on_level(level)


def share_rates(plan: Plan) -> Ints:
    """For every level the rate by service; the last column is for sales of no service that the plan names."""
    general, services = plan.share_levels.rates, plan.service_rates
    lists = [general if own.revenue_share is None else own.revenue_share for own in services] + [general]
    rates = np.zeros((max(len(rates) for rates in lists), len(lists)), np.int64)
    for service, own in enumerate(lists):
        rates[: len(own), service] = own
    return rates
