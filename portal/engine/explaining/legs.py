"""What came from which branch of a leg, and the single sales of it on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from portal.engine.cycle import Result
from portal.engine.network import LEFT

SIDES: Final = ("left", "right")
MOST_BRANCHES: Final = 8
_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True)
class Branch:
    """A member alone, or with everybody below it: the volume from there, the people, the number of events."""

    top: int
    whole: bool
    volume: int
    people: int
    sales: int


@dataclass(frozen=True)
class LegStory:
    """One leg in this cycle: `carried_in + new + restored = taken + expired + carried_out`."""

    side: str
    carried_in: int
    new: int
    restored: int
    taken: int
    expired: int
    carried_out: int
    branches: tuple[Branch, ...]


def leg_story(result: Result, member: int, side: int) -> LegStory:
    """What was in one leg of a member, where it came from, and what became of it."""
    members, name = result.members, SIDES[side]
    state = result.inputs.state
    return LegStory(
        side=name,
        carried_in=int((state.carry_left, state.carry_right)[side][member]),
        new=int(getattr(members, f"new_{name}")[member]),
        restored=int(members.restored[member]),
        taken=int(getattr(members, f"taken_{name}")[member]),
        expired=int(getattr(members, f"expired_{name}")[member]),
        carried_out=int(getattr(members, f"carry_{name}")[member]),
        branches=tuple(branches(result, member, side)),
    )


def branches(result: Result, member: int, side: int, *, most: int = MOST_BRANCHES) -> list[Branch]:
    """The new volume of a leg by branches: the largest is divided until there are `most`.

    Each is a member alone or a member with everybody below, so each can be opened in the same way again. The
    volumes of all add up to the leg's new volume. Nobody but the tops of branches is looked at one by one.
    """
    whole = [child for child in _children(result, member) if result.inputs.network.leg[child] == side]
    alone: list[int] = []
    while whole and len(whole) + len(alone) < most:
        largest = max(whole, key=lambda top: (abs(_below(result, top)), top))
        below = _children(result, largest)
        if not below:
            break
        whole.remove(largest)
        alone.append(largest)
        whole += below
    found = [_branch(result, top, whole=True) for top in whole]
    found += [_branch(result, top, whole=False) for top in alone]
    return sorted(found, key=lambda branch: (-branch.volume, branch.top))


def sales_in(result: Result, member: int, side: int, *, first: int = 0, most: int = 20) -> list[int]:
    """Some of the events of a leg, by their index: `most` of them after the `first`, in the order given."""
    network = result.inputs.network
    seat = int(network.seat[member])
    span = (int(network.lo[member]), seat) if side == LEFT else (seat, int(network.hi[member]))
    return list(islice(_events_between(result, span), first, first + most))


def sales_of(result: Result, member: int, *, first: int = 0, most: int = 20) -> list[int]:
    """Some of a member's own events, by their index, in the order given."""
    found: list[int] = np.nonzero(result.inputs.events.member == member)[0][first : first + most].tolist()
    return found


def _events_between(result: Result, span: tuple[int, int]) -> Iterator[int]:
    """The events whose sellers sit between two seats, looked up some at a time."""
    seat, sellers = result.inputs.network.seat, result.inputs.events.member
    for start in range(0, len(sellers), _AT_ONCE):
        seats = seat[sellers[start : start + _AT_ONCE]]
        yield from (start + np.nonzero((seats > span[0]) & (seats < span[1]))[0]).tolist()


def _children(result: Result, member: int) -> list[int]:
    children: list[int] = np.nonzero(result.inputs.network.parent == member)[0].tolist()
    return children


def _below(result: Result, top: int) -> int:
    """The volume of a member's two legs."""
    return int(result.members.new_left[top]) + int(result.members.new_right[top])


def _branch(result: Result, top: int, *, whole: bool) -> Branch:
    network, sellers = result.inputs.network, result.inputs.events.member
    own = int(result.members.pv[top])
    if not whole:
        return Branch(top, False, own, 1, int(np.count_nonzero(sellers == top)))
    lo, hi = int(network.lo[top]), int(network.hi[top])
    seats = network.seat[sellers]
    sales = int(np.count_nonzero((seats > lo) & (seats < hi)))
    return Branch(top, True, own + _below(result, top), hi - lo - 1, sales)
