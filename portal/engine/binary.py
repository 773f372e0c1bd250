"""Step 5: the two legs are matched, and what happens to what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from portal.engine.activity import Personal
from portal.engine.arithmetic import MAX, Flags, Ints, added, share
from portal.engine.binary_plan import Binary
from portal.engine.blocks import by_blocks
from portal.engine.events import State
from portal.engine.inputs import Inputs
from portal.engine.legs import Legs, qualified
from portal.engine.modes import Pay, Ready, match, nothing_paid
from portal.engine.ranks import PaidAs


class Match(NamedTuple):
    """Per member: what the step did to the legs (volumes), what it pays (cents), and who is out of it."""

    qualified: Flags
    matched: Ints
    earned: Ints
    paid: Ints
    clawed_back: Ints
    restored: Ints
    taken_left: Ints
    taken_right: Ints
    expired_left: Ints
    expired_right: Ints
    carry_left: Ints
    carry_right: Ints
    inactive_cycles: Ints


@dataclass(frozen=True)
class _Step:
    """What the step looks at."""

    inputs: Inputs
    active: Flags
    legs: Legs
    ranks: PaidAs
    may_match: Flags

    def ready(self, settled: Legs, some: slice) -> Ready:
        """Some members when their debt is settled."""
        network = self.inputs.network
        rank_cap = self.ranks.some(some).cap
        return Ready(settled, self.may_match[some], network.pack[some], network.packs, rank_cap)


class _Waiting:
    """The legs while the step goes on, and what has expired of them."""

    def __init__(self, left: Ints, right: Ints) -> None:
        self.left, self.right = left, right
        self.expired_left, self.expired_right = np.zeros_like(left), np.zeros_like(right)

    def give_back(self, volume: Ints) -> None:
        """Return volume to both legs."""
        self.left = added(self.left, volume, "members: carry")
        self.right = added(self.right, volume, "members: carry")

    def take(self, volumes: Legs) -> None:
        """Take what was matched."""
        self.left, self.right = self.left - volumes.left, self.right - volumes.right

    def flush(self, where: Flags) -> None:
        """Let all of a positive leg expire; a negative leg stays."""
        self.cut_down(np.where(where, 0, MAX))

    def cut_down(self, limit: Ints | int) -> None:
        """Let expire what is above a limit."""
        left, right = np.minimum(self.left, limit), np.minimum(self.right, limit)
        self.expired_left = self.expired_left + (self.left - left)
        self.expired_right = self.expired_right + (self.right - right)
        self.left, self.right = left, right


def match_legs(inputs: Inputs, personal: Personal, legs: Legs, *, ranks: PaidAs) -> Match:
    """Settle debt, match, cap and carry out; `legs` are the cycle's new volumes."""
    network, binary = inputs.network, inputs.plan.binary
    may_match = qualified(network, binary, personal.active) if binary else np.zeros(len(network), np.bool_)
    step = _Step(inputs, personal.active, legs, ranks, may_match)
    return Match(may_match, *by_blocks(len(network), lambda some: _matched(step, some)))


def _matched(step: _Step, some: slice) -> Sequence[Ints]:
    """The numbers of a match, for some members; nobody's depends on another's."""
    state, binary, may_match = step.inputs.state.some(some), step.inputs.plan.binary, step.may_match[some]
    left = added(state.carry_left, step.legs.left[some], "members: left leg")
    right = added(state.carry_right, step.legs.right[some], "members: right leg")
    inactive = cycles_inactive(state, step.active[some])
    waiting, pay = _Waiting(left, right), nothing_paid(len(left))
    restored = clawed_back = pay.matched
    if binary is not None:
        restored, clawed_back = _settle_debt(binary, state, waiting)
        settled = Legs(waiting.left, waiting.right)
        pay = match(step.inputs.plan, binary, step.ready(settled, some))
        _carry_out(binary, waiting, pay, may_match, inactive)
    return (
        *(pay.matched, pay.earned, pay.paid, clawed_back, restored, pay.taken.left, pay.taken.right),
        *(waiting.expired_left, waiting.expired_right, waiting.left, waiting.right, inactive),
    )


def cycles_inactive(state: State, active: Flags) -> Ints:
    """For how many cycles in a row each member has been inactive, this one counted."""
    one_more = added(state.inactive_cycles, np.ones_like(state.inactive_cycles), "members: inactive_cycles")
    return np.where(active, 0, one_more)


def _settle_debt(binary: Binary, state: State, waiting: _Waiting) -> tuple[Ints, Ints]:
    """Where reversals pushed a leg below zero: give volume back to both, and take back what it was paid."""
    if binary.debt == "carry":
        none = np.zeros_like(waiting.left)
        return none, none
    debt = np.maximum(0, np.maximum(-waiting.left, -waiting.right))
    restored = np.minimum(debt, state.matched_to_date)
    waiting.give_back(restored)
    taken_back = share(state.paid_to_date, restored, np.maximum(state.matched_to_date, 1))
    return restored, taken_back


def _carry_out(binary: Binary, waiting: _Waiting, pay: Pay, may_match: Flags, inactive: Ints) -> None:
    """What is left after the match, less what a flush, a limit or inactivity removes."""
    waiting.take(pay.taken)
    if binary.over_cap == "flush":
        waiting.flush(pay.exceeded)
    if binary.unqualified == "flush":
        waiting.flush(~may_match)
    if binary.after_match == "flush":
        waiting.flush(pay.taken.left > 0)
    waiting.cut_down(binary.carry_limit)
    waiting.flush(inactive >= binary.carry_cycles)
