"""Step 5: the two legs are matched, and what happens to what is left of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from portal.engine.activity import Personal
from portal.engine.arithmetic import (
    MAX,
    MONEY_UNIT,
    Flags,
    Ints,
    added,
    rounded_share,
    share,
    smallest_yielding,
)
from portal.engine.events import State
from portal.engine.legs import Legs, qualified
from portal.engine.network import Network
from portal.engine.plan import Binary, Plan, by_pack


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


class _Pay(NamedTuple):
    """Per member: volume matched, money for it, money paid, volume taken, and whether a cap was exceeded."""

    matched: Ints
    earned: Ints
    paid: Ints
    taken: Ints
    exceeded: Flags


class _Waiting:
    """The legs while the step goes on, and what has expired of them."""

    def __init__(self, left: Ints, right: Ints) -> None:
        self.left, self.right = left, right
        self.expired_left, self.expired_right = np.zeros_like(left), np.zeros_like(right)

    def give_back(self, volume: Ints) -> None:
        """Return volume to both legs."""
        self.left = added(self.left, volume, "members: carry")
        self.right = added(self.right, volume, "members: carry")

    def take(self, volume: Ints) -> None:
        """Take the same volume from both legs."""
        self.left, self.right = self.left - volume, self.right - volume

    def flush(self, where: Flags) -> None:
        """Let all of a positive leg expire; a negative leg stays."""
        self.cut_down(np.where(where, 0, MAX))

    def cut_down(self, limit: Ints | int) -> None:
        """Let expire what is above a limit."""
        left, right = np.minimum(self.left, limit), np.minimum(self.right, limit)
        self.expired_left = self.expired_left + (self.left - left)
        self.expired_right = self.expired_right + (self.right - right)
        self.left, self.right = left, right


def match_legs(plan: Plan, network: Network, state: State, personal: Personal, legs: Legs) -> Match:
    """Settle debt, match, cap and carry out; `legs` are the cycle's new volumes."""
    left = added(state.carry_left, legs.left, "members: left leg")
    right = added(state.carry_right, legs.right, "members: right leg")
    waiting = _Waiting(left, right)
    if plan.binary is None:
        return _nothing_matched(waiting)
    restored, clawed_back = _settle_debt(plan.binary, state, waiting)
    may_match = qualified(network, plan.binary, personal.active)
    pay = _match(plan, plan.binary, network, waiting, may_match)
    _carry_out(plan.binary, waiting, pay, may_match, cycles_inactive(state, personal.active))
    return Match(
        qualified=may_match,
        matched=pay.matched,
        earned=pay.earned,
        paid=pay.paid,
        clawed_back=clawed_back,
        restored=restored,
        taken=Legs(pay.taken, pay.taken),
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


def _match(plan: Plan, binary: Binary, network: Network, waiting: _Waiting, may_match: Flags) -> _Pay:
    """What the smaller leg earns, and how much of it the caps let through."""
    rate = by_pack(binary.rate, network.packs)[network.pack]
    value = rate * plan.point_value
    smaller = np.minimum(waiting.left, waiting.right)
    matches = may_match & (rate > 0) & (smaller > 0) & (smaller >= binary.min_match)
    matched = np.where(matches, smaller, 0)
    cap_volume = by_pack(binary.cap_volume, network.packs, missing=MAX)[network.pack]
    cap_money = by_pack(binary.cap_money, network.packs, missing=MAX)[network.pack]
    inside = np.minimum(matched, cap_volume)
    earned = rounded_share(matched, value, MONEY_UNIT)
    earned_inside = rounded_share(inside, value, MONEY_UNIT)
    paid = np.minimum(earned_inside, cap_money)
    too_much_money = earned_inside > cap_money
    taken = matched
    if binary.over_cap == "keep":
        taken = inside.copy()
        cut = np.nonzero(too_much_money)[0]
        taken[cut] = smallest_yielding(paid[cut], MONEY_UNIT, value[cut])
    return _Pay(matched, earned, paid, taken, (matched > cap_volume) | too_much_money)


def _carry_out(binary: Binary, waiting: _Waiting, pay: _Pay, may_match: Flags, inactive: Ints) -> None:
    """What is left after the match, less what a flush, a limit or inactivity removes."""
    waiting.take(pay.taken)
    if binary.over_cap == "flush":
        waiting.flush(pay.exceeded)
    if binary.unqualified == "flush":
        waiting.flush(~may_match)
    if binary.after_match == "flush":
        waiting.flush(pay.taken > 0)
    waiting.cut_down(binary.carry_limit)
    waiting.flush(inactive >= binary.carry_cycles)
