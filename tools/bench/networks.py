"""Large made-up networks of every shape, with as many events as members, for the benchmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from portal.engine import Events, History, Inputs, Network, Plan, State
from portal.engine.order import in_order

Ints = NDArray[np.int64]
Tree = tuple[Ints, Ints, Ints]

PLAN: Final[dict[str, Any]] = {
    "name": "Residential 2026",
    "currency": "USD",
    "cycle": "weekly",
    "point_value": "1.00",
    "activity": {"personal_volume": "100.00", "window_cycles": 4},
    "services": {
        "solar": {
            "retail": {"pack": "0.04", "plus": "0.05", "smart": "0.06"},
            "revenue_share": ["0.02", "0.01"],
        }
    },
    "retail": {"rate": {"pack": "0.05", "plus": "0.06", "smart": "0.08"}},
    "direct": {"rate": {"pack": "0.03", "plus": "0.04", "smart": "0.05"}},
    "unilevel": {"rates": ["0.03", "0.02", "0.01"], "compress": True},
    "revenue_share": {"rates": ["0.010", "0.005"], "compress": True},
    "matrix": {"width": 3, "rates": ["0.01", "0.01", "0.01"], "compress": False},
    "binary": {
        "mode": "percent",
        "rate": {"pack": "0.08", "plus": "0.10", "smart": "0.12"},
        "qualify": {"active": True, "each_leg": 1},
        "min_match": "10.00",
        "cap": {"money": {"pack": "500.00", "plus": "2500.00", "smart": "10000.00"}},
        "over_cap": "keep",
        "unqualified": "hold",
        "debt": "clawback",
        "after_match": "carry",
        "carry_limit": "100000.00",
        "carry_cycles": 2,
    },
    "matching": {
        "rates": ["0.20", "0.10", "0.05"],
        "depth": {"pack": 1, "plus": 2, "smart": 3},
        "compress": True,
    },
    "ranks": [
        {
            "name": "bronze",
            "requires": {"personal_volume": "100.00", "weak_leg_volume": "1000.00", "sponsored_active": 2},
        },
        {
            "name": "silver",
            "requires": {"weak_leg_volume": "5000.00", "leg_rank": "bronze"},
            "cap": "15000.00",
            "matching_depth": 3,
            "pool_shares": 1,
        },
    ],
    "pool": {"rate": "0.01"},
    "payout_limit": "0.45",
}
PACKS: Final = ("pack", "plus", "smart")
REVERSED: Final = 50  # one event in so many is reversed


def inputs(count: int, shape: str) -> Inputs:
    """A whole cycle's inputs: every kind of the rules is on."""
    rng = np.random.default_rng(count)
    network = _network(rng, SHAPES[shape](count))
    return Inputs(Plan.parse(PLAN), network, _events(rng, count), History.none(), _state(rng, count))


def _network(rng: np.random.Generator, tree: Tree) -> Network:
    parent, leg, sponsor = tree
    count = len(parent)
    return Network(
        sponsor=sponsor,
        parent=parent,
        leg=leg.astype(np.int8),
        pack=rng.integers(0, len(PACKS), count).astype(np.int32),
        status=np.where(rng.random(count) < 0.95, 0, 1).astype(np.int8),
        packs=PACKS,
        matrix_parent=(np.arange(count) - 1) // 3,
    )


def _events(rng: np.random.Generator, count: int) -> Events:
    """As many events as members; some reverse an earlier one."""
    member, order = rng.integers(0, count, count), np.arange(count)
    volume, revenue = rng.integers(100, 50_001, count), rng.integers(100, 200_001, count)
    reversals = order[REVERSED - 1 :: REVERSED]
    originals = reversals - 1
    reverses = np.full(count, -1)
    reverses[reversals], member[reversals] = originals, member[originals]
    volume[reversals], revenue[reversals] = -volume[originals], -revenue[originals] // 2
    service = np.where(rng.random(count) < 0.3, 0, -1)
    return Events(member, order, volume, revenue, service, reverses, order)


def _state(rng: np.random.Generator, count: int) -> State:
    nothing, matched = np.zeros(count, np.int64), rng.integers(0, 300_000, count)
    left, right = rng.integers(0, 100_000, count), rng.integers(0, 100_000, count)
    return State(nothing, left, right, matched, matched // 10, rng.integers(0, 2, count))


def _random(count: int) -> Tree:
    """Each member in any free slot."""
    chosen = (np.random.default_rng(1).random(count) * (np.arange(count) + 1)).astype(np.int64).tolist()
    free, slots = [0, 1], [-1]
    for member in range(1, count):
        slots.append(free[chosen[member]])
        free[chosen[member]] = 2 * member
        free.append(2 * member + 1)
    return _with_ancestors(np.array(slots))


def _balanced(count: int) -> Tree:
    """Level by level."""
    return _with_ancestors(np.arange(count) - 1)


def _chain(count: int) -> Tree:
    """Everybody on the left of the one before."""
    return _with_ancestors(2 * (np.arange(count) - 1))


def _zigzag(count: int) -> Tree:
    """Everybody below the one before, left and right in turn."""
    return _with_ancestors(2 * (np.arange(count) - 1) + np.arange(count) % 2)


def _power(count: int) -> Tree:
    """Spilled over to the far left end below a random sponsor, less often to the far right one."""
    rng = np.random.default_rng(2)
    sponsor = _earlier(rng, count)
    sides = (rng.random(count) >= 0.7).astype(np.int64).tolist()
    further, slots = [slot // 2 for slot in range(2 * count)], [-1]
    for member, (start, side) in enumerate(zip(sponsor.tolist(), sides, strict=True)):
        if member == 0:
            continue
        at, ahead = start, further[2 * start + side]
        while ahead != at:
            further[2 * at + side] = further[2 * ahead + side]
            at, ahead = ahead, further[2 * ahead + side]
        further[2 * at + side] = member
        slots.append(2 * at + side)
    parent, leg = _placed(np.array(slots))
    return parent, leg, sponsor


def _weak(count: int) -> Tree:
    """At the end of the lighter legs below a random sponsor; the counts of legs lag behind by a tenth."""
    rng = np.random.default_rng(3)
    sponsor = _earlier(rng, count)
    child, heavy_right = np.full(2 * count, -1), np.zeros(count, np.bool_)
    slots, done = np.full(count, -1), 1
    placed = [np.zeros(1, np.int64)]
    while done < count:
        joining = np.arange(done, min(count, done + max(16, done // 10)))
        sponsor[joining] %= done
        at = sponsor[joining]
        while len(joining):
            slot = 2 * at + ~heavy_right[at]
            taken = child[slot] >= 0
            _, first = np.unique(slot, return_index=True)
            first = first[~taken[first]]
            child[slot[first]], slots[joining[first]] = joining[first], slot[first]
            placed.append(joining[first])
            at, waiting = child[slot], np.ones(len(joining), np.bool_)
            waiting[first] = False
            joining, at = joining[waiting], at[waiting]
        done += max(16, done // 10)
        known = _placed(slots[: min(done, count)])
        order = in_order(known[0], known[1].astype(np.int8))
        heavy_right[: len(order.seat)] = order.hi - order.seat > order.seat - order.lo
    return _renumbered(slots, sponsor, np.concatenate(placed))


def _renumbered(slots: Ints, sponsor: Ints, order: Ints) -> Tree:
    """The same tree with its members numbered in this order."""
    number = np.append(np.empty_like(order), -1)
    number[order] = np.arange(len(order))
    parent, leg = _placed(slots[order])
    return number[parent], leg, number[sponsor[order]]


def _earlier(rng: np.random.Generator, count: int) -> Ints:
    """For each member any earlier one."""
    earlier: Ints = (rng.random(count) * np.arange(count)).astype(np.int64)
    earlier[:1] = -1
    return earlier


def _placed(slots: Ints) -> tuple[Ints, Ints]:
    """Parent and leg, of slots numbered 2 x parent + leg."""
    return np.where(slots < 0, -1, slots >> 1), np.where(slots < 0, -1, slots & 1)


def _with_ancestors(slots: Ints) -> Tree:
    """Sponsors a few steps above."""
    slots = np.append([-1], slots[1:])
    parent, leg = _placed(slots)
    rng, sponsor = np.random.default_rng(4), parent.copy()
    for _ in range(6):
        further = (rng.random(len(parent)) < 0.6) & (sponsor > 0)
        sponsor[further] = parent[sponsor[further]]
    return parent, leg, sponsor


SHAPES: Final[dict[str, Callable[[int], Tree]]] = {
    "random": _random,
    "balanced": _balanced,
    "weak": _weak,
    "power": _power,
    "chain": _chain,
    "zigzag": _zigzag,
}
