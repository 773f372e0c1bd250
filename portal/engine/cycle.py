"""One cycle: plan, network, events and the state carried in give lines and the state carried out.

The same function serves the live view, the preview, the close, the replay and the case runner.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from portal.engine.activity import Personal, personal_volume
from portal.engine.arithmetic import Flags, Ints, added, bounded_together, read_only, total
from portal.engine.binary import Match, match_legs
from portal.engine.binary_plan import Percent
from portal.engine.blocks import blocks
from portal.engine.events import BINARY, KINDS
from portal.engine.inputs import Inputs
from portal.engine.legs import Legs, leg_volumes
from portal.engine.lines import Lines
from portal.engine.matching import matching_lines
from portal.engine.pool import Scale, limited, pool_lines
from portal.engine.ranks import PaidAs, paid_as
from portal.engine.reversals import reversal_lines
from portal.engine.sale_lines import Uplines, all_sale_lines


@dataclass(frozen=True)
class Members:
    """What came out per member, one value each: volumes in hundredths of a point, money in cents.

    `rank` is the place of the paid-as rank among the plan's ranks, -1 without one.
    """

    AMOUNTS: ClassVar = (
        *("pv", "new_left", "new_right", "matched", "binary_earned", "binary_paid"),
        *("carry_left", "carry_right", "taken_left", "taken_right", "expired_left", "expired_right"),
        *("restored", "matched_to_date", "paid_to_date", "total"),
    )

    pv: Ints
    active: Flags
    rank: NDArray[np.int32]
    new_left: Ints
    new_right: Ints
    qualified: Flags
    matched: Ints
    binary_earned: Ints
    binary_paid: Ints
    carry_left: Ints
    carry_right: Ints
    taken_left: Ints
    taken_right: Ints
    expired_left: Ints
    expired_right: Ints
    restored: Ints
    matched_to_date: Ints
    paid_to_date: Ints
    inactive_cycles: Ints
    total: Ints


@dataclass(frozen=True)
class Totals:
    """The cycle's volume, all that is paid, and what is paid for each kind that has at least one line."""

    volume: int
    paid: int
    by_kind: dict[str, int]
    payout_scale: Scale | None = None


@dataclass(frozen=True)
class Result:
    """The lines, what came out per member, the totals, and what all of it was computed from.

    `parts` are the lines as they came, by kind and level.
    """

    inputs: Inputs
    parts: tuple[Lines, ...]
    members: Members
    totals: Totals

    @cached_property
    def lines(self) -> Lines:
        """All lines as one table; put together when first asked for."""
        return Lines.join(self.parts)


class _Decided(NamedTuple):
    """What the steps say about every member."""

    personal: Personal
    legs: Legs
    ranks: PaidAs
    match: Match


def calculate(inputs: Inputs) -> Result:
    """Compute one cycle, in the order of the rules. Raises Refused if a sum passes 2**63 - 1."""
    plan, network, events = inputs.plan, inputs.network, inputs.events
    volume = total(events.volume)
    personal = personal_volume(plan, network, events, inputs.state)
    legs = leg_volumes(network, personal.pv)
    ranks = paid_as(plan.ranks, network, personal, legs)
    uplines = Uplines(network, personal.active)
    parts = all_sale_lines(inputs, uplines)
    parts.append(reversal_lines(inputs, uplines))
    match = match_legs(inputs, personal, legs, ranks=ranks)
    parts += binary_lines(match)
    parts += matching_lines(plan, network, uplines, paid=match.paid, ranks=ranks)
    parts += pool_lines(plan, volume, ranks)
    parts, scale = limited(plan, volume, parts)
    by_kind = _by_kind(parts)
    bounded_together([part.amount for part in parts], "lines: the sum of all amounts")
    members = _members(inputs, _Decided(personal, legs, ranks, match), parts)
    return Result(inputs, tuple(parts), members, Totals(volume, sum(by_kind.values()), by_kind, scale))


def binary_lines(match: Match) -> list[Lines]:
    """A line for what is paid for matching, and one for what debt takes back."""
    paid, taken_back = np.nonzero(match.paid)[0], np.nonzero(match.clawed_back)[0]
    return [
        Lines.of(BINARY, paid, match.paid[paid], base=match.matched[paid]),
        Lines.of(BINARY, taken_back, -match.clawed_back[taken_back], base=-match.restored[taken_back]),
    ]


def _members(inputs: Inputs, decided: _Decided, parts: list[Lines]) -> Members:
    personal, legs, ranks, match = decided
    matched_to_date, paid_to_date = _to_date(inputs, match, parts)
    members = Members(
        pv=personal.pv,
        active=personal.active,
        rank=ranks.rank,
        new_left=legs.left,
        new_right=legs.right,
        qualified=match.qualified,
        matched=match.matched,
        binary_earned=match.earned,
        binary_paid=match.paid,
        carry_left=match.carry_left,
        carry_right=match.carry_right,
        taken_left=match.taken_left,
        taken_right=match.taken_right,
        expired_left=match.expired_left,
        expired_right=match.expired_right,
        restored=match.restored,
        matched_to_date=matched_to_date,
        paid_to_date=paid_to_date,
        inactive_cycles=match.inactive_cycles,
        total=sum_by_member(len(inputs.network), parts),
    )
    return Members(*[read_only(getattr(members, field.name)) for field in fields(members)])


def _to_date(inputs: Inputs, match: Match, parts: list[Lines]) -> tuple[Ints, Ints]:
    """What was matched, and paid for matching, ever; only the mode `percent` keeps count."""
    plan, state = inputs.plan, inputs.state
    if plan.binary is None or not isinstance(plan.binary.mode, Percent):
        return state.matched_to_date, state.paid_to_date
    paid = sum_by_member(len(state), [part for part in parts if part.is_all(BINARY)])
    matched = match.taken_left - match.restored
    return (
        added(state.matched_to_date, matched, "members: matched_to_date"),
        added(state.paid_to_date, paid, "members: paid_to_date"),
    )


def _by_kind(parts: list[Lines]) -> dict[str, int]:
    """What is paid for each kind that has at least one line."""
    sums: dict[str, int] = {}
    for part in parts:
        for kind in _kinds_of(part):
            amount = part.amount if part.is_all(kind) else part.amount[part.kind == kind]
            sums[KINDS[kind]] = sums.get(KINDS[kind], 0) + total(amount)
    return sums


def _kinds_of(part: Lines) -> list[int]:
    kinds: list[int] = np.unique(part.kind).tolist() if part.only_kind is None else [part.only_kind]
    return kinds


def sum_by_member(size: int, parts: list[Lines]) -> Ints:
    """What each of `size` members gets by all lines together."""
    sums = np.zeros(size, np.int64)
    for part in parts:
        for block in blocks(len(part)):
            np.add.at(sums, part.member[block].astype(np.int64), part.amount[block].astype(np.int64))
    return sums
