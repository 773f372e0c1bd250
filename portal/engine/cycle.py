"""One cycle: plan, network, events and the state carried in give lines and the state carried out.

The same function serves the live view, the preview, the close, the replay and the case runner.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from portal.engine.activity import Personal, personal_volume
from portal.engine.arithmetic import Flags, Ints, added, bounded, read_only, summed, total
from portal.engine.binary import Match, cycles_inactive, match_legs
from portal.engine.events import BINARY, KINDS, NONE, Events, History, State, reversal_faults
from portal.engine.legs import Legs, leg_volumes
from portal.engine.lines import Lines, event_lines, reversal_lines
from portal.engine.network import Network
from portal.engine.plan import Plan
from portal.engine.refusal import refuse_any


@dataclass(frozen=True)
class Inputs:
    """Everything a cycle is computed from. Raises Refused if the parts do not belong together."""

    plan: Plan
    network: Network
    events: Events
    history: History
    state: State

    def __post_init__(self) -> None:
        members, known = len(self.network), len(self.events) + len(self.history)
        faults = []
        if len(self.state) != members:
            faults.append(f"state: {len(self.state)} values for {members} members")
        for what, values, least, limit in (
            ("events: member", self.events.member, 0, members),
            ("events: service", self.events.service, NONE, len(self.plan.services)),
            ("events: reverses", self.events.reverses, NONE, known),
            ("history: member", self.history.member, 0, members),
            ("history: line_member", self.history.line_member, 0, members),
            ("history: line_kind", self.history.line_kind, 0, len(KINDS)),
            ("history: line_source", self.history.line_source, NONE, len(self.history)),
        ):
            if len(values) and (values.min() < least or values.max() >= limit):
                faults.append(f"{what}: points outside {least} to {limit - 1}")
        refuse_any(faults)
        refuse_any(reversal_faults(self.events, self.history, lambda event: f"event {event}"))


@dataclass(frozen=True)
class Members:
    """What came out per member, one value each: volumes in hundredths of a point, money in cents."""

    AMOUNTS: ClassVar = (
        *("pv", "new_left", "new_right", "matched", "binary_earned", "binary_paid"),
        *("carry_left", "carry_right", "taken_left", "taken_right", "expired_left", "expired_right"),
        *("restored", "matched_to_date", "paid_to_date", "total"),
    )

    pv: Ints
    active: Flags
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
    payout_scale: tuple[int, int] | None = None


@dataclass(frozen=True)
class Result:
    """The lines, what came out per member, and the totals."""

    lines: Lines
    members: Members
    totals: Totals


def calculate(inputs: Inputs) -> Result:
    """Compute one cycle, in the order of the rules. Raises Refused if a sum passes 2**63 - 1."""
    plan, network, events, state = inputs.plan, inputs.network, inputs.events, inputs.state
    personal = personal_volume(plan, network, events, state)
    legs = leg_volumes(network, personal.pv)
    sales = event_lines(plan, network, events, personal.active)
    reversals = reversal_lines(events, inputs.history, sales)
    match = match_legs(plan, network, state, personal, legs)
    lines = Lines.join([sales, reversals, *_binary_lines(match)])
    bounded(lines.amount, "lines: the sum of all amounts")
    members = _members(inputs, personal, legs, match, lines)
    return Result(lines, members, _totals(events, lines))


def _binary_lines(match: Match) -> tuple[Lines, Lines]:
    paid, taken_back = np.nonzero(match.paid)[0], np.nonzero(match.clawed_back)[0]
    return (
        Lines.of(BINARY, paid, match.paid[paid], match.matched[paid]),
        Lines.of(BINARY, taken_back, -match.clawed_back[taken_back], -match.restored[taken_back]),
    )


def _members(inputs: Inputs, personal: Personal, legs: Legs, match: Match, lines: Lines) -> Members:
    state = inputs.state
    matched_to_date, paid_to_date = state.matched_to_date, state.paid_to_date
    if inputs.plan.binary is not None:
        matched = match.taken.left - match.restored
        matched_to_date = added(matched_to_date, matched, "members: matched_to_date")
        paid_to_date = added(paid_to_date, match.paid - match.clawed_back, "members: paid_to_date")
    members = Members(
        pv=personal.pv,
        active=personal.active,
        new_left=legs.left,
        new_right=legs.right,
        qualified=match.qualified,
        matched=match.matched,
        binary_earned=match.earned,
        binary_paid=match.paid,
        carry_left=match.carry.left,
        carry_right=match.carry.right,
        taken_left=match.taken.left,
        taken_right=match.taken.right,
        expired_left=match.expired.left,
        expired_right=match.expired.right,
        restored=match.restored,
        matched_to_date=matched_to_date,
        paid_to_date=paid_to_date,
        inactive_cycles=cycles_inactive(state, personal.active),
        total=summed(len(inputs.network), lines.member, lines.amount),
    )
    return Members(*[read_only(values) for values in _columns(members)])


def _columns(members: Members) -> list[Ints]:
    return [getattr(members, field.name) for field in fields(members)]


def _totals(events: Events, lines: Lines) -> Totals:
    by_kind = {
        name: total(lines.amount[lines.kind == kind])
        for kind, name in enumerate(KINDS)
        if (lines.kind == kind).any()
    }
    return Totals(total(events.volume), total(lines.amount), by_kind)
