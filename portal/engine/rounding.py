"""What rounding to the cent took from the lines of a cycle, exactly."""

from __future__ import annotations

from typing import Final

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, RATE_UNIT, Ints, total
from portal.engine.binary_plan import Percent
from portal.engine.cycle import Result
from portal.engine.events import BINARY, DIRECT, MATCHING, MATRIX, RETAIL, REVENUE_SHARE, UNILEVEL
from portal.engine.lines import Lines
from portal.engine.plan import by_pack
from portal.engine.sale_lines import rates_by_service, share_rates

MILLIONTHS: Final = MONEY_UNIT


def rounded_away(result: Result) -> int:
    """Millionths of a cent by which all lines together would be higher unrounded; below 0 if lower.

    Lines of nothing, what reversals take back and shares of a fixed sum are not counted here.
    """
    return sum(_of_part(result, part) for part in result.parts) + _of_binary(result)


def _of_part(result: Result, part: Lines) -> int:
    kind = part.only_kind
    if kind is None or kind == BINARY or not (part.amount > 0).all():
        return 0
    plan, base, level = result.inputs.plan, part.base.astype(np.int64), int(part.level[0])
    by_level = {UNILEVEL: plan.unilevel, MATRIX: plan.matrix, MATCHING: plan.matching}
    if kind in (RETAIL, REVENUE_SHARE):
        return _lost(base, _rate_of_service(result, part, level), RATE_UNIT)
    if kind == DIRECT:
        by_member = by_pack(plan.direct, result.inputs.network.packs)
        return _lost(base, by_member[result.inputs.network.pack[part.member]] * plan.point_value, MONEY_UNIT)
    levels = by_level.get(kind)
    if levels is None or (kind == MATCHING and result.totals.payout_scale is not None):
        return 0
    rate = np.int64(levels.rates[level - 1])
    return (
        _lost(base, rate, RATE_UNIT) if kind == MATCHING else _lost(base, rate * plan.point_value, MONEY_UNIT)
    )


def _rate_of_service(result: Result, part: Lines, level: int) -> Ints:
    inputs = result.inputs
    service = inputs.events.service[part.source]
    if part.is_all(RETAIL):
        rates: Ints = rates_by_service(inputs.plan, inputs.network.packs)
        return rates[service, inputs.network.pack[part.member]]
    shares: Ints = share_rates(inputs.plan)[level - 1]
    return shares[service]


def _of_binary(result: Result) -> int:
    """Only a match by percent is rounded; where a cap cut it, there is nothing to round."""
    inputs, members = result.inputs, result.members
    if inputs.plan.binary is None or not isinstance(inputs.plan.binary.mode, Percent):
        return 0
    whole = np.nonzero((members.binary_paid == members.binary_earned) & (members.binary_paid > 0))[0]
    rate = by_pack(inputs.plan.binary.mode.rate, inputs.network.packs)[inputs.network.pack[whole]]
    return _lost(members.matched[whole], rate * inputs.plan.point_value, MONEY_UNIT)


def _lost(base: Ints, rate: Ints | np.int64, unit: int) -> int:
    """Exact less rounded, for lines rounded half away from zero."""
    rest = (base % unit) * (rate % unit) % unit
    return total(np.where(2 * rest >= unit, rest - unit, rest)) * (MILLIONTHS // unit)
