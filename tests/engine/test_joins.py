"""Members who join are merged into the order as if it had been built afresh."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine.joins import with_joins
from portal.engine.order import Order, in_order
from tests.engine.networks import SHAPES
from tests.engine.test_order import shuffled

SIDES = np.int8


def joined(parent, leg, known):
    """The order of the first `known` members, and then of all."""
    parent, leg = np.array(parent, np.int64), np.array(leg, SIDES)
    return with_joins(in_order(parent[:known], leg[:known]), parent, leg), in_order(parent, leg)


def same(merged: Order, afresh: Order) -> bool:
    return [column.tolist() for column in merged] == [column.tolist() for column in afresh]


def in_order_of_joining(seed, shape):
    """The same forest with every parent before its children."""
    parent, leg = shuffled(seed, shape)
    depth = {}

    def deep(member):
        return 0 if parent[member] < 0 else 1 + deep(parent[member])

    for member in range(len(parent)):
        depth[member] = deep(member)
    ordered = sorted(depth, key=lambda member: (depth[member], member))
    place = {member: at for at, member in enumerate(ordered)}
    return [place.get(parent[member], -1) for member in ordered], [leg[member] for member in ordered]


@pytest.mark.parametrize("shape", SHAPES)
def test_joins_give_the_seats_that_the_whole_gives(shape):
    for seed in range(40):
        parent, leg = in_order_of_joining(seed, shape)
        for known in range(len(parent) + 1):
            merged, afresh = joined(parent, leg, known)

            assert same(merged, afresh), f"{shape} {seed} {known}"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(50, 400), st.integers(0, 400))
def test_joins_in_any_forest_give_the_seats_that_the_whole_gives(seed, size, known):
    rng = np.random.default_rng(seed)
    free, parent, leg = [], [], []
    for member in range(size):
        above, side = free.pop(rng.integers(len(free))) if free and rng.random() < 0.9 else (-1, -1)
        parent.append(above)
        leg.append(side)
        free += [(member, 0), (member, 1)]

    merged, afresh = joined(parent, leg, min(known, size))

    assert same(merged, afresh)
