"""What happened in the cycle, and what earlier cycles left behind: facts and states as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from portal.engine.arithmetic import Ints, added, bounded, frozen, summed
from portal.engine.refusal import refuse_any

KINDS: Final = ("retail", "direct", "unilevel", "revenue_share", "matrix", "binary", "matching", "pool")
RETAIL, DIRECT, UNILEVEL, REVENUE_SHARE, MATRIX, BINARY, MATCHING, POOL = range(len(KINDS))
EVENT_KINDS: Final = (RETAIL, DIRECT, UNILEVEL, REVENUE_SHARE, MATRIX)
REVENUE_KINDS: Final = (RETAIL, REVENUE_SHARE)
FIRST_LEVEL: Final = (0, 1, 1, 1, 1, 0, 1, 0)
NONE: Final = -1

Naming = Callable[[int], str]


def _freeze_columns(table: object) -> None:
    for field in fields(table):  # type: ignore[arg-type]
        object.__setattr__(table, field.name, frozen(getattr(table, field.name)))


def _lengths_differ(table: object, names: tuple[str, ...]) -> list[str]:
    lengths = {len(getattr(table, name)) for name in names}
    return [f"{type(table).__name__}: {', '.join(names)} differ in length"] if len(lengths) > 1 else []


def _negatives(table: object, names: tuple[str, ...]) -> list[str]:
    below = [name for name in names if (getattr(table, name) < 0).any()]
    return [f"{type(table).__name__}: {name} must not be negative" for name in below]


@dataclass(frozen=True)
class Events:
    """The cycle's E events, in any order; each column holds E whole numbers.

    `member`: who is credited. `at`: any one scale of time, such as microseconds UTC. `volume` in
    hundredths of a point, `revenue` in cents; both not above 0 for reversals and not below 0 otherwise.
    `service`: index into `Plan.services`, -1 if none or not named there. `reverses`: -1 for a sale; an
    event of this cycle by its index 0 to E - 1; an event of `History` as E plus its index there.
    `order`: decides between events of equal `at`, such as the database's id.
    """

    member: Ints
    at: Ints
    volume: Ints
    revenue: Ints
    service: Ints
    reverses: Ints
    order: Ints

    def __post_init__(self) -> None:
        _freeze_columns(self)
        refuse_any(_lengths_differ(self, tuple(field.name for field in fields(self))))
        bounded(self.volume, "events: the sum of volume")
        bounded(self.revenue, "events: the sum of revenue")

    def __len__(self) -> int:
        return len(self.member)

    @classmethod
    def none(cls) -> Events:
        """No events at all."""
        return cls(*[np.zeros(0, np.int64)] * 7)


@dataclass(frozen=True)
class History:
    """Earlier cycles' events that this cycle's reversals name, and the lines that were paid for them.

    Per event: `member`, `volume`, `revenue`, and how much of both was reversed before this cycle (not
    negative). Per line: `line_member`, `line_kind` (index into KINDS), `line_amount` in cents, `line_source`
    (index into the events here; -1 for the kinds that have none, which do not count) and `line_level`.
    """

    member: Ints
    volume: Ints
    revenue: Ints
    reversed_volume: Ints
    reversed_revenue: Ints
    line_member: Ints
    line_kind: Ints
    line_amount: Ints
    line_source: Ints
    line_level: Ints

    def __post_init__(self) -> None:
        _freeze_columns(self)
        names = tuple(field.name for field in fields(self))
        refuse_any(_lengths_differ(self, names[:5]) + _lengths_differ(self, names[5:]))
        refuse_any(_negatives(self, (*names[1:5], "line_amount", "line_level")))
        for name in ("volume", "revenue", "line_amount"):
            bounded(getattr(self, name), f"history: the sum of {name.removeprefix('line_')}")

    def __len__(self) -> int:
        return len(self.member)

    @classmethod
    def none(cls) -> History:
        """Nothing that is reversed now."""
        return cls(*[np.zeros(0, np.int64)] * 10)


@dataclass(frozen=True)
class State:
    """What each member carries in: volumes in hundredths of a point, `paid_to_date` in cents, cycles.

    Only `pv_prior` and the carry may be negative.
    """

    pv_prior: Ints
    carry_left: Ints
    carry_right: Ints
    matched_to_date: Ints
    paid_to_date: Ints
    inactive_cycles: Ints

    def __post_init__(self) -> None:
        _freeze_columns(self)
        refuse_any(_lengths_differ(self, tuple(field.name for field in fields(self))))
        refuse_any(_negatives(self, ("matched_to_date", "paid_to_date", "inactive_cycles")))

    def __len__(self) -> int:
        return len(self.pv_prior)

    def some(self, members: slice) -> State:
        """What some members carry in."""
        return State(*[getattr(self, field.name)[members] for field in fields(self)])

    @classmethod
    def fresh(cls, size: int) -> State:
        """The state of members for whom this is the first cycle."""
        return cls(*[np.zeros(size, np.int64)] * 6)


def reversal_faults(events: Events, history: History, name: Naming) -> list[str]:
    """Everything that cannot be with sales and reversals, one line each; `name` says which event."""
    faults: list[str] = []

    def note(places: Ints, text: str) -> None:
        faults.extend(f"{name(place)}{text}" for place in places.tolist())

    reverses = events.reverses
    is_reversal = reverses >= 0
    for field in ("volume", "revenue"):
        values = getattr(events, field)
        note(np.nonzero(~is_reversal & (values < 0))[0], f".{field}: is negative, but this is not a reversal")
        note(np.nonzero(is_reversal & (values > 0))[0], f".{field}: is positive, but this is a reversal")
    rows = np.nonzero(is_reversal)[0]
    own = rows[reverses[rows] < len(events)]
    note(own[reverses[reverses[own]] >= 0], ".reverses: names a reversal")
    note(own[events.at[own] < events.at[reverses[own]]], ".at: is earlier than what it reverses")
    credited = np.append(events.member, history.member)
    note(rows[events.member[rows] != credited[reverses[rows]]], ".member: is not the one of what it reverses")
    for field in ("volume", "revenue"):
        note(_beyond(events, history, field), f".{field}: reverses more than there was")
    return faults


def _beyond(events: Events, history: History, field: str) -> Ints:
    """The first reversal, by index, of every event that is reversed by more than it was worth."""
    values, earlier = getattr(events, field), getattr(history, field)
    is_sale = np.append(events.reverses < 0, np.ones(len(history), np.bool_))
    rows = np.nonzero(events.reverses >= 0)[0]
    rows = rows[is_sale[events.reverses[rows]]]
    target = events.reverses[rows]
    worth = np.append(values, earlier)
    before = np.append(np.zeros(len(events), np.int64), getattr(history, f"reversed_{field}"))
    taken = summed(len(worth), target, np.maximum(-values[rows], 0))
    too_much = added(before, taken, f"history: reversed {field}") > np.maximum(worth, 0)
    _, first = np.unique(target, return_index=True)
    beyond: Ints = rows[first[too_much[target[first]]]]
    return beyond
