"""How people stood on a day: rank, legs and carry of the last cycle that was over by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.projection import UNKNOWN, Projected
from portal.models import Carry, Cycle, PaidRank


@dataclass(frozen=True)
class StoodAt:
    """The closed cycle that stood on a day, None before the first; legs and paid ranks by consultant id."""

    cycle: Cycle | None
    standings: dict[int, Projected]
    ranks: dict[int, str]


def stood_at(session: Session, consultant_ids: Sequence[int], *, until: datetime) -> StoodAt:
    """How some consultants stood, by the newest cycle that was over by an instant and is closed now."""
    closed = select(Cycle).where(Cycle.state.in_(("closed", "paid")), Cycle.until <= until)
    cycle = session.scalar(closed.order_by(Cycle.starts_at.desc()).limit(1))
    if cycle is None:
        return StoodAt(None, {}, {})
    own = Carry.consultant_id.in_(consultant_ids)
    carries = session.scalars(select(Carry).where(Carry.run_id == cycle.close_run_id, own))
    held = select(PaidRank.consultant_id, PaidRank.code).where(
        PaidRank.run_id == cycle.close_run_id, PaidRank.consultant_id.in_(consultant_ids)
    )
    return StoodAt(
        cycle,
        {carry.consultant_id: _standing(carry) for carry in carries},
        {row[0]: row[1] for row in session.execute(held)},
    )


def _standing(carry: Carry) -> Projected:
    """The legs as they were when the cycle ended, in the shape of those of now."""
    return replace(
        UNKNOWN,
        known=1,
        new_left=carry.new_left,
        new_right=carry.new_right,
        left=carry.taken_left + carry.expired_left + carry.left - carry.restored,
        right=carry.taken_right + carry.expired_right + carry.right - carry.restored,
        carry_left=carry.left,
        carry_right=carry.right,
        inactive_cycles=carry.inactive_cycles,
    )
