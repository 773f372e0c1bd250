"""Step 5: the two legs are matched, and what happens to what is left of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.engine.activity import Personal
from portal.engine.arithmetic import MAX, Flags, Ints, added, share
from portal.engine.binary_plan import Binary
from portal.engine.events import State
from portal.engine.inputs import Inputs
from portal.engine.legs import Legs, qualified
from portal.engine.modes import Pay, match


@dataclass(frozen=True)
class Match:
    """Per member: what the step did to the legs (volumes), and what it pays (cents)."""

    qualified: Flags
    matched: Ints
    earned: Ints
    paid: Ints
    clawed_back: Ints
    restored: Ints
    taken: Legs
    expired: Legs
    carry: Legs


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


def match_legs(inputs: Inputs, personal: Personal, legs: Legs, *, rank_cap: Ints) -> Match:
    """Settle debt, match, cap and carry out; `legs` are the cycle's new volumes."""
    plan, network, state = inputs.plan, inputs.network, inputs.state
    left = added(state.carry_left, legs.left, "members: left leg")
    right = added(state.carry_right, legs.right, "members: right leg")
    waiting = _Waiting(left, right)
    if plan.binary is None:
        return _nothing_matched(waiting)
    restored, clawed_back = _settle_debt(plan.binary, state, waiting)
    may_match = qualified(network, plan.binary, personal.active)
    settled = Legs(waiting.left, waiting.right)
    pay = match(inputs, plan.binary, legs=settled, may_match=may_match, rank_cap=rank_cap)
    _carry_out(plan.binary, waiting, pay, may_match, cycles_inactive(state, personal.active))
    return Match(
        qualified=may_match,
        matched=pay.matched,
        earned=pay.earned,
        paid=pay.paid,
        clawed_back=clawed_back,
        restored=restored,
        taken=pay.taken,
        expired=Legs(waiting.expired_left, waiting.expired_right),
        carry=Legs(waiting.left, waiting.right),
    )


def cycles_inactive(state: State, active: Flags) -> Ints:
    """For how many cycles in a row each member has been inactive, this one counted."""
    one_more = added(state.inactive_cycles, np.ones_like(state.inactive_cycles), "members: inactive_cycles")
    return np.where(active, 0, one_more)


def _nothing_matched(waiting: _Waiting) -> Match:
    """Without `binary` in the plan the legs only grow."""
    none = np.zeros_like(waiting.left)
    nobody = np.zeros(len(none), np.bool_)
    nothing, carry = Legs(none, none), Legs(waiting.left, waiting.right)
    return Match(nobody, none, none, none, none, none, nothing, nothing, carry)


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
