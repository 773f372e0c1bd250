"""Seats are given as a walk through every tree would give them, left leg first."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.engine.order import in_order
from tests.engine.networks import SHAPES, random_case


def walked(parent, leg):
    """Seat, and the seats just outside the subtree, by plain recursion."""
    children = {(above, side): member for member, (above, side) in enumerate(zip(parent, leg, strict=True))}
    seats, low, high, given_out = {}, {}, {}, [0]

    def visit(member):
        low[member] = given_out[0] - 1
        if (member, 0) in children:
            visit(children[member, 0])
        seats[member] = given_out[0]
        given_out[0] += 1
        if (member, 1) in children:
            visit(children[member, 1])
        high[member] = given_out[0]

    for member, above in enumerate(parent):
        if above < 0:
            visit(member)
    return [[table[member] for member in range(len(parent))] for table in (seats, low, high)]


def numbered(parent, leg):
    """The numbering, which is the same walked in one go and in lanes."""
    arrays = np.array(parent, np.int64), np.array(leg, np.int8)
    order = in_order(*arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.engine.order.FEW_VISITS", 0)
        in_lanes = in_order(*arrays)
    assert all(map(np.array_equal, order, in_lanes))
    return [column.tolist() for column in order]


def shuffled(seed, shape):
    members = random_case(seed, shape)["members"]
    index = {member["id"]: number for number, member in enumerate(members)}
    parent = [index.get(member["parent"], -1) for member in members]
    leg = [{"L": 0, "R": 1, None: -1}[member["leg"]] for member in members]
    return parent, leg


@pytest.mark.parametrize("shape", SHAPES)
def test_seats_are_those_of_a_walk(shape):
    for seed in range(60):
        parent, leg = shuffled(seed, shape)

        assert numbered(parent, leg) == walked(parent, leg)


@given(st.integers(0, 10**6), st.integers(100, 700), st.sampled_from(["narrow", "wide", "forest"]))
def test_seats_are_those_of_a_walk_in_larger_forests(seed, size, shape):
    rng = random.Random(seed)
    free, parent, leg = [], [], []
    for member in range(size):
        at = -1 if not free or (shape == "forest" and rng.random() < 0.1) else rng.randrange(len(free))
        if shape == "narrow" and free:
            at = max(0, len(free) - 3)
        above, side = free.pop(at) if at >= 0 else (-1, -1)
        parent.append(above)
        leg.append(side)
        free += [(member, 0), (member, 1)]

    assert numbered(parent, leg) == walked(parent, leg)


@pytest.mark.parametrize("turns", [0, 1])
def test_a_chain_of_half_a_million_is_no_trouble(turns):
    size = 500_000
    parent = np.arange(size) - 1
    leg = np.where(parent < 0, -1, np.arange(size) % 2 * turns).astype(np.int8)

    order = in_order(parent, leg)

    assert np.array_equal(np.sort(order.seat), np.arange(size))
    assert np.array_equal(order.hi - order.lo - 1, np.arange(size, 0, -1))
