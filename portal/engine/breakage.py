"""What people lost in a cycle, rule by rule, and what is held back for them; adding up, volume and money.

Per leg and member: carry in + new + restored = matched + the losses of every rule + carry out, where
`matched` is the volume that was paid for; what a cap consumed or a flush removed is a loss of that rule.
In money: earned = paid + the losses of every rule + what is held back, where `earned` is what all rules but
the limiting ones give, and the match of whoever may not match counts as it would have been paid. Held back is
what the volume that is carried on could be paid for: it is not lost, and the next cycle finds it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from portal.engine.arithmetic import MAX, Flags, Ints, total
from portal.engine.binary_plan import Binary, Percent
from portal.engine.cycle import Result, sum_by_member
from portal.engine.events import BINARY, MATCHING, POOL
from portal.engine.legs import Legs
from portal.engine.lines import Lines
from portal.engine.matching import matching_lines
from portal.engine.modes import Pay, Ready, match
from portal.engine.network import ACTIVE
from portal.engine.pool import pool_lines, pool_of
from portal.engine.ranks import PaidAs
from portal.engine.rounding import rounded_away
from portal.engine.sale_lines import Uplines

LOSSES: Final = (
    *("volume_cap", "money_cap", "unqualified", "inactive"),
    *("after_match", "carry_limit", "carry_cycles", "limit"),
)


CAPS: Final = ("volume_cap", "money_cap")
STANDING: Final = ("unqualified", "inactive")
HOLDING: Final = (*CAPS, *STANDING)


class Loss(NamedTuple):
    """What one rule took from each member for good: volume of the left and the right leg, cents."""

    left: Ints
    right: Ints
    money: Ints


@dataclass(frozen=True)
class Losses:
    """What each rule took from each member, by the rule's code, and the volume that was paid for.

    `held` is what a rule did not let be paid though the volume for it is carried on, in cents.
    """

    result: Result
    by_rule: dict[str, Loss]
    held: dict[str, Ints]
    matched: Legs

    def unpaid(self, rule: str) -> Ints:
        """The cents that a rule kept from each member in this cycle, lost and held together."""
        kept: Ints = self.by_rule[rule].money + self.held.get(rule, 0)
        return kept


class _Matches(NamedTuple):
    """The match of a cycle with both caps, without the cap on money, and of those who may not match."""

    capped: Pay
    without_money_cap: Pay
    of_others: Pay


def breakage(result: Result) -> dict[str, Any]:
    """The sums of a cycle as a JSON document: volumes in hundredths of a point, money in cents."""
    return summed_up(losses(result))


def losses(result: Result) -> Losses:
    """What each rule took from each member."""
    size = len(result.inputs.network)
    none = np.zeros(size, np.int64)
    by_rule = {rule: Loss(none, none, none) for rule in LOSSES}
    held = dict.fromkeys(HOLDING, none)
    matched = Legs(result.members.taken_left, result.members.taken_right)
    binary = result.inputs.plan.binary
    if binary is not None:
        matches = _matches(result, binary)
        matched = matches.capped.taken
        by_rule |= _by_caps(result, matches) | _by_standing(result, binary, matches.of_others)
        by_rule = _with_expired(result, binary, by_rule)
        held = _held_back(result, binary, by_rule, matched)
        by_rule |= {rule: by_rule[rule]._replace(money=by_rule[rule].money - held[rule]) for rule in held}
    by_rule["limit"] = Loss(none, none, _by_limit(result))
    return Losses(result, by_rule, held, matched)


def summed_up(found: Losses) -> dict[str, Any]:
    """All members together; the sums add up as the parts do."""
    result = found.result
    lost = {rule: total(loss.money) for rule, loss in found.by_rule.items()}
    lost["pool"] = _pool_left_over(result)
    held = {rule: total(cents) for rule, cents in found.held.items()}
    paid = sum(total(np.maximum(part.amount, 0)) for part in result.parts)
    return {
        "legs": {side: _leg(found, side) for side in ("left", "right")},
        "money": {
            "earned": paid + sum(lost.values()) + sum(held.values()),
            "lost": lost,
            "held": held,
            "paid": paid,
            "taken_back": result.totals.paid - paid,
            "rounding": rounded_away(result),
        },
        "people": {
            rule: int(np.count_nonzero(loss.left | loss.right | loss.money))
            for rule, loss in found.by_rule.items()
        },
        "waiting": {rule: int(np.count_nonzero(cents)) for rule, cents in found.held.items()},
    }


def _leg(found: Losses, side: str) -> dict[str, Any]:
    members, state = found.result.members, found.result.inputs.state
    return {
        "carried_in": total(getattr(state, f"carry_{side}")),
        "new": total(getattr(members, f"new_{side}")),
        "restored": total(members.restored),
        "matched": total(getattr(found.matched, side)),
        "lost": {rule: total(getattr(loss, side)) for rule, loss in found.by_rule.items() if rule != "limit"},
        "carried_out": total(getattr(members, f"carry_{side}")),
    }


def _matches(result: Result, binary: Binary) -> _Matches:
    plan, members, network = result.inputs.plan, result.members, result.inputs.network
    rank_cap = PaidAs(members.rank, plan.ranks).cap
    settled = Legs(_before_match(result, "left"), _before_match(result, "right"))
    ready = Ready(settled, members.qualified, network.pack, network.packs, rank_cap)
    keep, no_cap = replace(binary, over_cap="keep"), replace(binary, over_cap="keep", cap_money={})
    others = ready._replace(may_match=~members.qualified)
    capped, of_others = match(plan, keep, ready), match(plan, keep, others)
    return _Matches(capped, match(plan, no_cap, ready), of_others)


def _before_match(result: Result, side: str) -> Ints:
    """What a leg held once debt was settled: what went out of it."""
    members = result.members
    left: Ints = (
        getattr(members, f"taken_{side}")
        + getattr(members, f"expired_{side}")
        + getattr(members, f"carry_{side}")
    )
    return left


def _by_caps(result: Result, matches: _Matches) -> dict[str, Loss]:
    """Money above the caps, and volume that was taken though nothing was paid for it."""
    members, inside, paid_for = result.members, matches.without_money_cap, matches.capped.taken
    by_volume = Legs(members.taken_left - inside.taken.left, members.taken_right - inside.taken.right)
    by_money = Legs(inside.taken.left - paid_for.left, inside.taken.right - paid_for.right)
    kept = (members.taken_left == paid_for.left) & (members.taken_right == paid_for.right)
    taken = [np.where(kept, 0, side) for side in (*by_volume, *by_money)]
    return {
        "volume_cap": Loss(taken[0], taken[1], members.binary_earned - inside.paid),
        "money_cap": Loss(taken[2], taken[3], inside.paid - members.binary_paid),
    }


def _by_standing(result: Result, binary: Binary, would_be: Pay) -> dict[str, Loss]:
    """What those who may not match would have been paid."""
    none = np.zeros_like(would_be.paid)
    fit = _fit(result, binary)
    return {
        "unqualified": Loss(none, none, np.where(fit, would_be.paid, 0)),
        "inactive": Loss(none, none, np.where(fit, 0, would_be.paid)),
    }


def _fit(result: Result, binary: Binary) -> Flags:
    """Who may match but for those they sponsored."""
    fit: Flags = result.members.active if binary.must_be_active else result.inputs.network.status == ACTIVE
    return fit


def _with_expired(result: Result, binary: Binary, by_rule: dict[str, Loss]) -> dict[str, Loss]:
    """Each flush and limit takes in its turn what those before it left; the last rule takes the rest."""
    members = result.members
    over_cap, left_by_volume = by_rule["money_cap"].money > 0, by_rule["volume_cap"].money > 0
    fit, qualified = _fit(result, binary), members.qualified
    flushes: tuple[tuple[str, Flags], ...] = (
        ("money_cap", over_cap & (binary.over_cap == "flush")),
        ("volume_cap", left_by_volume & (binary.over_cap == "flush")),
        ("inactive", ~qualified & ~fit & (binary.unqualified == "flush")),
        ("unqualified", ~qualified & fit & (binary.unqualified == "flush")),
        ("after_match", (members.taken_left > 0) & (binary.after_match == "flush")),
    )
    out = _Expiring(result, dict(by_rule))
    for rule, flushed in flushes:
        out.cut_down(rule, np.where(flushed, 0, MAX))
    out.cut_down("carry_limit", np.full(len(fit), binary.carry_limit, np.int64))
    out.cut_down("carry_cycles", np.where(members.inactive_cycles >= binary.carry_cycles, 0, MAX))
    return out.by_rule


class _Expiring:
    """The legs after the match, from which one rule after the other takes."""

    def __init__(self, result: Result, by_rule: dict[str, Loss]) -> None:
        members = result.members
        self.left = members.carry_left + members.expired_left
        self.right = members.carry_right + members.expired_right
        self.by_rule = by_rule

    def cut_down(self, rule: str, limit: Ints) -> None:
        """Let a rule take what is above a limit."""
        left, right = np.minimum(self.left, limit), np.minimum(self.right, limit)
        before = self.by_rule[rule]
        self.by_rule[rule] = Loss(
            before.left + self.left - left, before.right + self.right - right, before.money
        )
        self.left, self.right = left, right


def _held_back(result: Result, binary: Binary, by_rule: dict[str, Loss], paid_for: Legs) -> dict[str, Ints]:
    """What of the unpaid money the carry could be paid for, by rule, in cents."""
    keeping = {
        *(CAPS if binary.over_cap == "keep" else ()),
        *(STANDING if binary.unqualified == "hold" else ()),
    }
    worth = _worth_of_carry(result, binary, paid_for)
    held = {}
    for rule in HOLDING:
        held[rule] = np.minimum(by_rule[rule].money, worth if rule in keeping else 0)
        worth = worth - held[rule]
    return held


def _worth_of_carry(result: Result, binary: Binary, paid_for: Legs) -> Ints:
    """What the match of all that is carried on would add, were there no cap and no condition.

    By percent it is reckoned on top of what was paid for, so that no cent is lost to rounding in between.
    """
    plan, members, network = result.inputs.plan, result.members, result.inputs.network
    carried, paid = Legs(members.carry_left, members.carry_right), np.zeros(len(network), np.int64)
    nothing = np.minimum(*carried) <= 0
    if isinstance(binary.mode, Percent):
        carried = Legs(carried.left + paid_for.left, carried.right + paid_for.right)
        paid = members.binary_paid
    everybody = np.ones(len(network), np.bool_)
    ready = Ready(carried, everybody, network.pack, network.packs, PaidAs(members.rank, plan.ranks).cap)
    worth: Ints = np.where(nothing, 0, match(plan, binary, ready).earned - paid)
    return np.maximum(worth, 0)


def _by_limit(result: Result) -> Ints:
    """What the payout limit took from each member."""
    size, scale = len(result.inputs.network), result.totals.payout_scale
    if scale is None:
        return np.zeros(size, np.int64)
    inputs, members = result.inputs, result.members
    ranks, uplines = PaidAs(members.rank, inputs.plan.ranks), Uplines(inputs.network, members.active)
    before = [
        *matching_lines(inputs.plan, inputs.network, uplines, paid=members.binary_paid, ranks=ranks),
        *pool_lines(inputs.plan, result.totals.volume, ranks),
    ]
    paid = [part for part in result.parts if _is_scaled(part)]
    taken: Ints = members.binary_paid + sum_by_member(size, before) - sum_by_member(size, paid)
    return taken


def _pool_left_over(result: Result) -> int:
    """What of the pool nobody holds a share of, and what rounding the shares toward zero leaves."""
    inputs, volume = result.inputs, result.totals.volume
    if inputs.plan.pool is None:
        return 0
    ranks = PaidAs(result.members.rank, inputs.plan.ranks)
    shared = sum(total(part.amount) for part in pool_lines(inputs.plan, volume, ranks))
    return pool_of(inputs.plan, volume) - shared


def _is_scaled(part: Lines) -> bool:
    """Whether the payout limit may have scaled these lines; what a clawback takes back it never does."""
    return part.is_all(BINARY, MATCHING, POOL) and bool((part.amount > 0).all())
