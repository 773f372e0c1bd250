"""Other ways to the same numbers, to compare with: they must agree bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from portal.engine import KINDS, Inputs, Result
from portal.engine.arithmetic import summed
from portal.engine.legs import Legs, leg_volumes
from portal.engine.order import Order, in_order
from tests.engine.naive import Naive
from tests.engine.naive_numbers import written
from tools.bench.networks import PACKS, PLAN

OUT = (
    *("qualified", "binary_earned", "binary_paid", "restored"),
    *("matched_to_date", "paid_to_date", "inactive_cycles", "total"),
)


class Walk:
    """From every sale up to the root, member by member, as it is usually done."""

    def __init__(self, inputs: Inputs) -> None:
        network, events = inputs.network, inputs.events
        self.parent, self.leg = network.parent.tolist(), network.leg.tolist()
        self.sales = list(zip(events.member.tolist(), events.volume.tolist(), strict=True))

    def legs(self) -> Legs:
        """The volume in both legs of everybody."""
        parent, leg = self.parent, self.leg
        legs = [[0] * len(parent), [0] * len(parent)]
        for at, volume in self.sales:
            above = parent[at]
            while above >= 0:
                legs[leg[at]][above] += volume
                at, above = above, parent[above]
        return Legs(np.array(legs[0], np.int64), np.array(legs[1], np.int64))


def legs(inputs: Inputs) -> Legs:
    """The engine's own, with the sales of each member summed up."""
    return leg_volumes(
        inputs.network, summed(len(inputs.network), inputs.events.member, inputs.events.volume)
    )


def legs_with_order(inputs: Inputs) -> Legs:
    """The same with the order built in it."""
    network = inputs.network
    network.__dict__["order"] = in_order(network.parent, network.leg)
    network.__dict__.pop("by_seat", None)
    return legs(inputs)


class Toured:
    """Everything stored by seat, so that memory is read in one direction."""

    def __init__(self, inputs: Inputs) -> None:
        order = inputs.network.order
        by_seat = np.argsort(order.seat)
        self.seat, self.first, self.behind = order.seat, order.lo[by_seat] + 1, order.hi[by_seat]
        pv = summed(len(order.seat), inputs.events.member, inputs.events.volume)
        self.pv = pv[by_seat]

    def legs(self) -> Legs:
        """The volume in both legs, by seat."""
        running = np.zeros(len(self.pv) + 1, np.int64)
        np.cumsum(self.pv, out=running[1:])
        return Legs(running[:-1] - running[self.first], running[self.behind] - running[1:])

    def by_member(self, legs: Legs) -> Legs:
        """The same, by member."""
        return Legs(legs.left[self.seat], legs.right[self.seat])


def rebuilt(inputs: Inputs) -> Order:
    """The order built afresh."""
    return in_order(inputs.network.parent, inputs.network.leg)


class Reference:
    """The naive reading of the rules, with the same cycle as a case file would give it."""

    def __init__(self, inputs: Inputs) -> None:
        self.naive = Naive({"plan": PLAN, "members": _members(inputs), "events": _events(inputs)})

    def run(self) -> None:
        """The whole cycle."""
        self.naive.run()

    def agrees(self, result: Result) -> bool:
        """Whether all lines and all that came out per member are the same."""
        naive, members = self.naive, result.members
        lines = [
            (
                int(x["member"]),
                KINDS.index(x["kind"]),
                x["amount"],
                x["base"],
                int(x["source"] or -1),
                x["level"],
            )
            for x in naive.lines
        ]
        own = np.stack([column.astype(np.int64) for column in result.lines.columns()])
        other = np.array(lines, np.int64).reshape(-1, 6).T
        if own.shape != other.shape or not (own[:, np.lexsort(own)] == other[:, np.lexsort(other)]).all():
            return False
        out, ranks = list(naive.out.values()), [-1 if rank is None else rank for rank in naive.rank.values()]
        pairs: list[tuple[Any, Any]] = [(members.rank, ranks), (members.pv, list(naive.pv.values()))]
        pairs += [(getattr(members, name), [row[name] for row in out]) for name in OUT]
        for name, side in (
            (name, side) for name in ("carry", "taken", "expired") for side in ("left", "right")
        ):
            pairs.append((getattr(members, f"{name}_{side}"), [row[name][side] for row in out]))
        pairs.append((members.new_left, [new["L"] for new in naive.new.values()]))
        pairs.append((members.new_right, [new["R"] for new in naive.new.values()]))
        return all(bool((np.array(other) == own).all()) for own, other in pairs)


def _members(inputs: Inputs) -> list[dict[str, object]]:
    network, state = inputs.network, inputs.state
    names = [str(member) for member in range(len(network))] + [None]
    columns = (
        network.sponsor,
        network.parent,
        network.leg,
        network.matrix_parent,
        network.pack,
        network.status,
    )
    carried = (state.carry_left, state.carry_right, state.matched_to_date, state.paid_to_date)
    rows = zip(*(column.tolist() for column in (*columns, *carried, state.inactive_cycles)), strict=True)
    return [
        {
            "id": name,
            "sponsor": names[sponsor],
            "parent": names[parent],
            "leg": ("L", "R", None)[leg],
            "matrix_parent": names[above],
            "pack": PACKS[pack],
            "status": ("active", "suspended")[status],
            "carry": {"left": written(left), "right": written(right)},
            "matched_to_date": written(matched),
            "paid_to_date": written(paid),
            "inactive_cycles": inactive,
        }
        for name, (sponsor, parent, leg, above, pack, status, left, right, matched, paid, inactive) in zip(
            names, rows, strict=False
        )
    ]


def _events(inputs: Inputs) -> list[dict[str, object]]:
    events = inputs.events
    moments = np.datetime_as_string(np.datetime64("2026-11-16T00:00:00") + events.at).tolist()
    columns = (events.member, events.volume, events.revenue, events.service, events.reverses)
    rows = zip(moments, *(column.tolist() for column in columns), strict=True)
    return [
        {
            "id": str(event),
            "member": str(member),
            "at": f"{at}Z",
            "volume": written(volume),
            "revenue": written(revenue),
            "service": "solar" if service == 0 else None,
            "reverses": None if reverses < 0 else str(reverses),
        }
        for event, (at, member, volume, revenue, service, reverses) in enumerate(rows)
    ]
