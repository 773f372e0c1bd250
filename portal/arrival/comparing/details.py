"""The numbers behind each reason, as they are kept beside a difference and put into words by a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from portal.arrival.comparing.levels import ON_MONEY, UNIT
from portal.arrival.comparing.reasons import REASONS, Explained
from portal.engine import KINDS, STATUSES
from portal.kernel.money import round_half_away

Detail = dict[str, Any]

_ON_MONEY: Final = frozenset(KINDS.index(kind) for kind in ON_MONEY)


def details_of(found: Explained) -> list[Detail]:
    """What there is to say about every gap, in its order."""
    return [
        _OF.get(REASONS[reason], _nothing)(found, at) | {"lines": lines, "their_lines": theirs}
        for at, (reason, lines, theirs) in enumerate(
            zip(
                found.reason.tolist(),
                found.gaps.lines.tolist(),
                found.gaps.their_lines.tolist(),
                strict=True,
            )
        )
    ]


def _nothing(found: Explained, at: int) -> Detail:
    return {"base": int(found.gaps.base[at])}


def _by_level(found: Explained, at: int) -> Detail:
    """What ours consists of: level, base, our rate and theirs, as far as the kind is paid by level."""
    levels, kind = found.levels, found.gaps.kind[at]
    columns = (levels.base[at], levels.ours[kind], levels.theirs[kind])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {"levels": [[level, *row] for level, row in enumerate(rows, 1) if row[0]]}


def _unexplained(found: Explained, at: int) -> Detail:
    return _nothing(found, at) | _by_level(found, at)


def _refund(found: Explained, at: int) -> Detail:
    return {"taken_back": -int(found.gaps.below[at])}


def _status(found: Explained, at: int) -> Detail:
    return {"status": STATUSES[int(found.result.inputs.network.status[found.gaps.member[at]])]}


def _standing(rule: str) -> Callable[[Explained, int], Detail]:
    def detail(found: Explained, at: int) -> Detail:
        member, inputs = found.gaps.member[at], found.result.inputs
        activity, binary = inputs.plan.activity, inputs.plan.binary
        return {
            "would_be": int(found.lost.unpaid(rule)[member]),
            "volume": int(found.result.members.pv[member]) + int(inputs.state.pv_prior[member]),
            "needed": activity.personal_volume,
            "cycles": activity.window_cycles,
            "each_leg": binary.each_leg if binary else 0,
        }

    return detail


def _lost(rule: str) -> Callable[[Explained, int], Detail]:
    def detail(found: Explained, at: int) -> Detail:
        money = int(found.lost.unpaid(rule)[found.gaps.member[at]])
        gap = int(found.gaps.theirs[at]) - int(found.gaps.ours[at])
        return {"lost": money, "rest": gap - money}

    return detail


def _rate(found: Explained, at: int) -> Detail:
    rates = found.rates
    if found.levels.fits[at]:
        levels = _by_level(found, at)["levels"]
        return {"levels": [row for row in levels if row[2] != row[3]]}
    return {"base": int(rates.base[at]), "rate": int(rates.ours[at]), "their_rate": int(rates.theirs[at])}


def _follows(found: Explained, at: int) -> Detail:
    return {"people": int(found.sources[at])}


def _carry(found: Explained, at: int) -> Detail:
    """Our legs as they were matched, and the volume that their amount would need at our rate."""
    member, members, state = found.gaps.member[at], found.result.members, found.result.inputs.state
    restored = int(members.restored[member])
    legs = {
        side: int(getattr(state, f"carry_{side}")[member])
        + int(getattr(members, f"new_{side}")[member])
        + restored
        for side in ("left", "right")
    }
    implied = _implied(found, at)
    is_capped = any(found.lost.unpaid(rule)[member] for rule in ("money_cap", "volume_cap"))
    # Of what was matched, a cap leaves a part unpaid: only the paid part can stand beside theirs.
    paid_for = _base_for(found, at, int(found.gaps.ours[at])) if is_capped and implied else None
    return legs | {"base": int(found.gaps.base[at]) if paid_for is None else paid_for} | implied


def _volume(found: Explained, at: int) -> Detail:
    return {"base": int(found.gaps.base[at])} | _implied(found, at)


def _implied(found: Explained, at: int) -> Detail:
    """Their base if our rate is theirs: in cents for what is paid on money, else in hundredths of a point."""
    rate = int(found.rates.ours[at])
    return {"rate": rate, "their_base": _base_for(found, at, int(found.gaps.theirs[at]))} if rate else {}


def _base_for(found: Explained, at: int, cents: int) -> int:
    """What has to be there for so much money at our rate."""
    point = 100 if int(found.gaps.kind[at]) in _ON_MONEY else found.result.inputs.plan.point_value
    return round_half_away(cents * UNIT * 100, int(found.rates.ours[at]) * point)


_OF: Final[dict[str, Callable[[Explained, int], Detail]]] = {
    "refund": _refund,
    "status": _status,
    "inactive": _standing("inactive"),
    "unqualified": _standing("unqualified"),
    "money_cap": _lost("money_cap"),
    "volume_cap": _lost("volume_cap"),
    "limit": _lost("limit"),
    "rate": _rate,
    "follows": _follows,
    "carry": _carry,
    "volume": _volume,
    "unexplained": _unexplained,
}
