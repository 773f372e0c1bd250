"""Step 6: matching on what those below were paid for matching their legs."""

from __future__ import annotations

import numpy as np

from portal.engine.arithmetic import RATE_UNIT, Ints, Whole, rounded_share
from portal.engine.events import MATCHING
from portal.engine.lines import Lines
from portal.engine.network import Network
from portal.engine.plan import Plan, by_pack
from portal.engine.ranks import PaidAs
from portal.engine.sale_lines import Uplines


def matching_depth(plan: Plan, network: Network, ranks: PaidAs, *, members: Whole) -> Ints:
    """How many generations these members are paid for: by pack or by rank, whichever is more."""
    depth = by_pack(plan.matching.depth if plan.matching else None, network.packs)[network.pack[members]]
    return np.maximum(depth, ranks.some(members).matching_depth)


def matching_lines(
    plan: Plan, network: Network, uplines: Uplines, *, paid: Ints, ranks: PaidAs
) -> list[Lines]:
    """Up the sponsor line above everybody with binary `paid`; who is not deep enough uses up a generation."""
    if plan.matching is None:
        return []
    matched = np.nonzero(paid)[0]
    receivers = uplines.of_sponsors(compress=plan.matching.compress).levels(matched)
    parts = []
    for level, (rate, (place, member)) in enumerate(zip(plan.matching.rates, receivers, strict=False), 1):
        deep = np.nonzero(matching_depth(plan, network, ranks, members=member) >= level)[0]
        member, source = member[deep], matched[place[deep]]
        base = paid[source]
        amount = rounded_share(base, np.int64(rate), RATE_UNIT)
        parts.append(Lines.of(MATCHING, member, amount, base=base, source=source).on_level(level))
    return parts
