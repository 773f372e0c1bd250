"""Steps 7 and 8: the pool, and the limit on what is paid for volume."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, Ints, fits, share, total
from portal.engine.events import BINARY, DIRECT, MATCHING, MATRIX, POOL, UNILEVEL
from portal.engine.lines import Lines
from portal.engine.plan import Plan
from portal.engine.ranks import PaidAs

LIMITED_KINDS: Final = (DIRECT, UNILEVEL, MATRIX, BINARY, MATCHING, POOL)
SCALED_KINDS: Final = (BINARY, MATCHING, POOL)


class Scale(NamedTuple):
    """By how much the payout limit scales: what is left for the scaled lines, and what they come to."""

    numerator: int
    denominator: int


def part_of_volume(plan: Plan, volume: int, rate: int, what: str) -> int:
    """A rate of the cycle's whole volume as money, toward zero; nothing of a volume below zero."""
    return fits(max(0, volume) * plan.point_value * rate // MONEY_UNIT, what)


def pool_of(plan: Plan, volume: int) -> int:
    """The money in the pool."""
    return part_of_volume(plan, volume, plan.pool or 0, "plan.pool")


def pool_lines(plan: Plan, volume: int, ranks: PaidAs) -> list[Lines]:
    """Split the pool over the members by the shares of their ranks, toward zero."""
    if plan.pool is None or not ranks.ranks:
        return []
    pool, shares = pool_of(plan, volume), ranks.largest("pool_shares")
    amounts = [pool * own // max(1, shares_in_all(ranks)) for own in shares]
    member = np.nonzero(ranks.rank >= 0)[0]
    amount = np.array(amounts, np.int64)[ranks.rank[member]]
    return [Lines.of(POOL, member, amount, base=np.full(len(member), pool))]


def shares_in_all(ranks: PaidAs) -> int:
    """How many shares of the pool all members have together."""
    holders = [int(np.count_nonzero(ranks.rank == place)) for place in range(len(ranks.ranks))]
    return sum(own * count for own, count in zip(ranks.largest("pool_shares"), holders, strict=True))


def limited(plan: Plan, volume: int, parts: list[Lines]) -> tuple[list[Lines], Scale | None]:
    """Scale down what can be scaled where more is paid for volume than the plan allows; what is
    scaled stands in parts of one kind."""
    if plan.payout_limit is None:
        return parts, None
    limit = part_of_volume(plan, volume, plan.payout_limit, "plan.payout_limit")
    paid = sum(_sum_of(part, LIMITED_KINDS) for part in parts)
    scalable = sum(_sum_of(part, SCALED_KINDS, only_positive=True) for part in parts)
    if paid <= limit or scalable == 0:
        return parts, None
    scale = Scale(max(0, limit - (paid - scalable)), fits(scalable, "lines: the sum of all amounts"))
    return [_scaled(part, scale) for part in parts], scale


def _sum_of(part: Lines, kinds: tuple[int, ...], *, only_positive: bool = False) -> int:
    """What the lines of some kinds come to."""
    amount = part.amount
    if part.only_kind is None:
        amount = amount[np.isin(part.kind, kinds)]
    elif not part.is_all(*kinds):
        return 0
    return total(np.maximum(amount, 0) if only_positive else amount)


def _scaled(part: Lines, scale: Scale) -> Lines:
    if not part.is_all(*SCALED_KINDS):
        return part
    amount: Ints = np.where(
        part.amount > 0,
        share(part.amount.astype(np.int64), np.int64(scale.numerator), np.int64(scale.denominator)),
        part.amount,
    )
    return Lines.of(int(part.kind[0]), part.member, amount, base=part.base, source=part.source).on_level(
        int(part.level[0])
    )
