"""The door: everything about one member's result."""

from __future__ import annotations

from dataclasses import dataclass

from portal.engine.cycle import Result
from portal.engine.events import KINDS
from portal.engine.explaining.distances import Expiry, Missing, expiries, missing_for
from portal.engine.explaining.legs import LegStory, leg_story
from portal.engine.explaining.lines import LineStory, line_stories
from portal.engine.explaining.next_pay import NextPay, next_pay
from portal.engine.network import LEFT, RIGHT


@dataclass(frozen=True)
class Explanation:
    """One member's cycle: volumes in hundredths of a point, money in cents, everybody by index."""

    member: int
    plan_name: str
    plan_version: str
    rank: str | None
    lines: tuple[LineStory, ...]
    legs: tuple[LegStory, LegStory]
    missing: tuple[Missing, ...]
    expires: tuple[Expiry, ...]
    next_pay: NextPay | None

    @property
    def by_kind(self) -> dict[str, int]:
        """What the lines of each kind come to."""
        sums: dict[str, int] = {}
        for line in self.lines:
            sums[line.kind] = sums.get(line.kind, 0) + line.amount
        return sums


def explain(result: Result, member: int, *, kind: str | None = None) -> Explanation:
    """Open every line of a member, or those of one kind, to the end; and say what is missing for more.

    `member` is an index of the network. A leg is told by branches, whatever its size; see `branches` and
    `sales_in` for more of it. Raises ValueError for a kind that there is not.
    """
    plan, rank = result.inputs.plan, int(result.members.rank[member])
    return Explanation(
        member=member,
        plan_name=plan.name,
        plan_version=plan.version,
        rank=plan.ranks[rank].name if rank >= 0 else None,
        lines=tuple(line_stories(result, member, kind=None if kind is None else KINDS.index(kind))),
        legs=(leg_story(result, member, LEFT), leg_story(result, member, RIGHT)),
        missing=tuple(missing_for(result, member)),
        expires=tuple(expiries(result, member)),
        next_pay=next_pay(result, member),
    )
