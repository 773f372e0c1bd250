"""The live index against a plain walk up from every sale, on networks of every shape."""

from __future__ import annotations

import random

import numpy as np
import pytest

from portal.live import index as live
from portal.live.index import LegFigures, LiveIndex

NOBODY = -1


class Walked:
    """Legs by walking up from every sale and every join: slow, and obviously right."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.leg: list[int] = []
        self.figures: list[list[int]] = []

    def join(self, parent: int, leg: int, volume: int = 0) -> None:
        self.parent.append(parent)
        self.leg.append(leg)
        self.figures.append([0, 0, 0, 0])
        self._up(len(self.parent) - 1, volume, 1)

    def sell(self, member: int, volume: int) -> None:
        self._up(member, volume, 0)

    def legs(self, member: int) -> LegFigures:
        return LegFigures(*self.figures[member])

    def way(self, member: int, top: int) -> list[int]:
        way = [member]
        while way[-1] != top and way[-1] != NOBODY:
            way.append(self.parent[way[-1]])
        return way[::-1] if way[-1] == top else []

    def _up(self, member: int, volume: int, people: int) -> None:
        while (above := self.parent[member]) != NOBODY:
            side = self.leg[member]
            self.figures[above][side] += volume
            self.figures[above][side + 2] += people
            member = above


class Grower:
    """Joins one by one in a shape of its own."""

    def __init__(self, shape: str, chance: random.Random) -> None:
        self.shape, self.chance = shape, chance
        self.free: list[tuple[int, int]] = []
        self.count = 0

    def next(self) -> tuple[int, int]:
        """Parent and leg of the next member; a root where there is no free spot or the shape wants one."""
        if not self.free or (self.shape == "forest" and self.chance.random() < 0.05):
            spot = (NOBODY, -1)
        elif self.shape in ("random", "forest"):
            spot = self.free.pop(self.chance.randrange(len(self.free)))
        else:
            side = {"chain": 0, "zigzag": self.count % 2}[self.shape]
            spot = (self.count - 1, side)
        self.free += [(self.count, 0), (self.count, 1)]
        self.count += 1
        return spot


@pytest.mark.parametrize("shape", ["random", "forest", "chain", "zigzag"])
@pytest.mark.parametrize("seed", range(4))
def test_every_leg_is_what_a_walk_finds(shape, seed):
    chance = random.Random(f"{shape} {seed}")
    grower, walked = Grower(shape, chance), Walked()
    for _ in range(chance.randrange(0, 150)):
        walked.join(*grower.next())
    index = LiveIndex(
        np.array(walked.parent, np.int64),
        np.array(walked.leg, np.int8),
        np.zeros(len(walked.parent), np.int64),
        most_joins=chance.choice([1, 7, 60]),
    )

    for _ in range(120):
        for _ in range(chance.randrange(0, 6)):
            spot, volume = grower.next(), chance.choice([0, 0, 250_00])
            walked.join(*spot, volume)
            index.join(*spot, volume)
        if walked.parent:
            sold = [(chance.randrange(grower.count), chance.randrange(-50_00, 500_00)) for _ in range(5)]
            for sale in sold:
                walked.sell(*sale)
            index.sell(*(np.array(column, np.int64) for column in zip(*sold, strict=True)))
        for member in {chance.randrange(grower.count) for _ in range(20) if grower.count}:
            assert index.legs(member) == walked.legs(member), (member, grower.count)

    for member in range(grower.count):
        assert index.legs(member) == walked.legs(member)
    check_ways(index, walked, chance)


def check_ways(index: LiveIndex, walked: Walked, chance: random.Random) -> None:
    """Who is below whom, on which leg, how far down and by which way."""
    count = len(walked.parent)
    for top in {chance.randrange(count) for _ in range(20)} | {0, count - 1}:
        ways = [walked.way(member, top) for member in range(count)]
        sides = [walked.leg[way[1]] if len(way) > 1 else NOBODY for way in ways]
        assert index.sides(np.arange(count), top).tolist() == sides
        seen = np.array([at for at, side in enumerate(sides) if side != NOBODY], np.int64)
        levels = index.levels(seen) - index.levels(np.array([top]))
        assert levels.tolist() == [len(ways[member]) - 1 for member in seen]
        for member in chance.sample(range(count), k=min(30, count)):
            assert index.way(member, top).tolist() == ways[member]


def test_many_sales_are_taken_into_the_sums_and_stay_exact(monkeypatch):
    monkeypatch.setattr(live, "MOST_RECENT", 16)
    index = LiveIndex(np.array([-1, 0, 0]), np.array([-1, 0, 1], np.int8), np.array([5, 7, 9]))

    for size in (10, 10, 40, 3):
        index.sell(np.full(size, 1), np.full(size, 100))

    assert index.legs(0) == LegFigures(63_00 + 7, 9, 1, 1)
    assert index.volume_of(1) == 63_00 + 7


def test_a_new_cycle_begins_at_nothing_and_keeps_the_people():
    index = LiveIndex(np.array([-1, 0]), np.array([-1, 0], np.int8), np.array([5, 7]))
    index.join(1, 1, volume=30)

    index.start_afresh()

    assert index.legs(0) == LegFigures(0, 0, 2, 0)
    assert index.legs(1) == LegFigures(0, 0, 0, 1)


def test_an_empty_network_grows_from_nobody():
    nobody = np.zeros(0, np.int64)
    index = LiveIndex(nobody, nobody.astype(np.int8), nobody)

    first = index.join(NOBODY, -1)
    second = index.join(first, 1, volume=12_00)

    assert index.legs(first) == LegFigures(0, 12_00, 0, 1)
    assert index.legs(second) == LegFigures(0, 0, 0, 0)
