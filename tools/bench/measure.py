"""One size and shape, measured: all variants interleaved in one run, medians, and whether they agree."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from portal.engine import Inputs, calculate
from portal.engine.joins import with_joins
from portal.engine.legs import Legs
from portal.engine.order import in_order
from tools.bench import memory, networks, variants

ROUNDS: Final = 5
JOINS: Final = 100  # one member in so many has just joined
QUICK_STEPS: Final = 2_000_000  # of all sales up to their roots: the walk takes no time
NAIVE_STEPS: Final = 500_000_000

Timed = dict[str, Callable[[], object]]


def bench(members: int, shape: str, *, reference: bool = False) -> dict[str, Any]:
    """Measure one network; with `reference` the slow ways are taken too, however long they are.

    Seconds are CPU seconds of this one thread, so that whatever else runs on the machine counts little;
    the wall clock stands beside the whole cycle. Memory given back is kept but for "in fresh memory".
    """
    inputs = networks.inputs(members, shape)
    memory.keep()
    result = calculate(inputs)
    lines = len(result.lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rounds = ROUNDS if members <= 1_000_000 else 3
    seconds, wall = _interleaved(_variants(inputs), rounds)
    seconds["cycle in fresh memory"] = statistics.median(_in_fresh_memory(inputs) for _ in range(rounds))
    steps = int((inputs.network.people_left + inputs.network.people_right).sum())
    agree = _agreement(inputs)
    if reference or steps <= QUICK_STEPS:
        walk = variants.Walk(inputs)
        seconds["legs by a walk"], walked = _once(walk.legs)
        agree["walk"] = _same(walked, variants.legs(inputs))
        if steps <= NAIVE_STEPS and members <= 500_000:
            naive = variants.Reference(inputs)
            seconds["cycle by the naive reference"], _ = _once(naive.run)
            agree["naive reference"] = naive.agrees(result)
    return {
        "members": members,
        "events": members,
        "lines": lines,
        "shape": shape,
        "mean depth": round(steps / members, 1),
        "load": round(os.getloadavg()[0], 2),
        "peak MiB": round(peak),
        "seconds": {name: round(value, 6) for name, value in seconds.items()},
        "wall seconds of the cycle": round(wall["cycle"], 6),
        "ns per member": round(seconds["cycle"] / members * 1e9, 1),
        "ratios": {name: round(value, 2) for name, value in _ratios(seconds).items()},
        "agree": agree,
    }


def _variants(inputs: Inputs) -> Timed:
    network = inputs.network
    known = len(network) - max(1, len(network) // JOINS)
    earlier = in_order(network.parent[:known].copy(), network.leg[:known].copy())
    toured = variants.Toured(inputs)
    source, target = np.ones(4 * len(network), np.int64), np.ones(4 * len(network), np.int64)
    return {
        "memory copy": lambda: np.copyto(target, source),
        "legs": lambda: variants.legs(inputs),
        "legs by tour": toured.legs,
        "legs with the order": lambda: variants.legs_with_order(inputs),
        "order": lambda: variants.rebuilt(inputs),
        "order with 1 % joins": lambda: with_joins(earlier, network.parent, network.leg),
        "cycle": lambda: calculate(inputs),
        "cycle with lines as one table": lambda: calculate(inputs).lines,
    }


def _interleaved(timed: Timed, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of CPU and wall seconds; every round runs all of them, so that disturbances hit all alike."""
    processor: dict[str, list[float]] = {name: [] for name in timed}
    wall: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(rounds):
        for name, run in timed.items():
            began, at = time.process_time(), time.perf_counter()
            run()
            processor[name].append(time.process_time() - began)
            wall[name].append(time.perf_counter() - at)
    return _medians(processor), _medians(wall)


def _in_fresh_memory(inputs: Inputs) -> float:
    """CPU seconds of the whole cycle when every page that it needs has to be asked for."""
    memory.give_back()
    return _once(lambda: calculate(inputs))[0]


def _medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in seconds.items()}


def _once(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    given = run()
    return time.process_time() - began, given


def _agreement(inputs: Inputs) -> dict[str, bool]:
    """Whether all the ways to the legs and to the order come to the same, bit for bit."""
    network, own = inputs.network, variants.legs(inputs)
    known = len(network) - max(1, len(network) // JOINS)
    merged = with_joins(
        in_order(network.parent[:known].copy(), network.leg[:known].copy()), network.parent, network.leg
    )
    toured = variants.Toured(inputs)
    return {
        "legs by tour": _same(toured.by_member(toured.legs()), own),
        "legs with the order": _same(variants.legs_with_order(inputs), own),
        "order with 1 % joins": all(
            np.array_equal(*columns) for columns in zip(merged, variants.rebuilt(inputs), strict=True)
        ),
    }


def _same(first: Legs, second: Legs) -> bool:
    return np.array_equal(first.left, second.left) and np.array_equal(first.right, second.right)


def _ratios(seconds: dict[str, float]) -> dict[str, float]:
    ratios = {
        "legs / memory copy of 32 B": seconds["legs"] / seconds["memory copy"],
        "legs by tour / memory copy of 32 B": seconds["legs by tour"] / seconds["memory copy"],
        "order afresh / merged": seconds["order"] / seconds["order with 1 % joins"],
    }
    if walk := seconds.get("legs by a walk"):
        ratios["walk / legs"] = walk / seconds["legs"]
        ratios["walk / legs with the order"] = walk / seconds["legs with the order"]
    if naive := seconds.get("cycle by the naive reference"):
        ratios["naive reference / cycle"] = naive / seconds["cycle"]
    return ratios
