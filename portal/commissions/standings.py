"""How people stand now: legs exact at this moment, money and ranks as last projected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portal import live
from portal.commissions import projection
from portal.commissions.projection import Projected
from portal.live import LegFigures


def standing(consultant_id: int) -> Projected | None:
    """How one consultant stands; None for whoever has no place in the tree."""
    return standings([consultant_id])[0]


def standings(consultant_ids: Sequence[int]) -> list[Projected | None]:
    """How some consultants stand, all of one moment.

    Somebody whom the projection does not know yet has legs and nothing else. When a new cycle has just
    begun and is not projected yet, the last projection stands as it is: its carry is not the new cycle's.
    """
    records, reading = projection.read_many(consultant_ids), live.legs(consultant_ids)
    published = projection.published()
    if published is not None and published.cycle_id != reading.cycle_id:
        return records
    return [_now(record, legs) for record, legs in zip(records, reading.legs, strict=True)]


def _now(record: Projected | None, legs: LegFigures | None) -> Projected | None:
    if legs is None:
        return record
    known = record or projection.UNKNOWN
    return replace(
        known,
        new_left=legs.left,
        new_right=legs.right,
        left=known.left - known.new_left + legs.left,
        right=known.right - known.new_right + legs.right,
        people_left=legs.people_left,
        people_right=legs.people_right,
    )
