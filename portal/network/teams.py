"""Teams of any size, read at once: who stands below somebody, on which leg and how far down."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from portal.engine.order import in_order
from portal.live import NOBODY, Team
from portal.members.team import Viewer, stood
from portal.models import Placement
from portal.store.columns import NONE, read_columns

Ints = NDArray[np.int64]

LEFT: Final = 0
RIGHT: Final = 1
NAMES_OF_SIDES: Final = {LEFT: "left", RIGHT: "right"}


def standing_below(session: Session, viewer: Viewer, now: Team) -> Team:
    """Those of a viewer's team of now as they stood at the moment that is looked at."""
    return now if viewer.at is None else _below(session, viewer.id, at=viewer.at).of(now.ids)


def way_then(session: Session, top_id: int, focus_id: int, *, at: datetime) -> tuple[list[int], list[int]]:
    """Who stood from somebody down to another, both with them, and on which legs; nobody where not below."""
    ids, parents, legs = _placed(session, at)
    above = dict(zip(ids.tolist(), zip(parents.tolist(), legs.tolist(), strict=True), strict=True))
    way, sides, one = [focus_id], [], focus_id
    while one != top_id and one in above:
        one, side = above[one]
        way.append(one)
        sides.append(side)
    return (way[::-1], [NONE, *sides[::-1]]) if one == top_id and top_id in above else ([], [])


def depths(parent: Ints) -> Ints:
    """How far below its root each of n members stands, 0 for a root; parents by index, -1 for a root.

    Each round doubles how far up everybody looks, so a chain takes few rounds as well.
    """
    above = np.where(parent < 0, np.arange(len(parent)), parent)
    depth = (parent >= 0).astype(np.int64)
    while (further := depth[above]).any():
        depth += further
        above = above[above]
    return depth


def _placed(session: Session, at: datetime) -> list[Ints]:
    """Everybody's place at a moment: ids, parents, legs."""
    leg = case((Placement.leg == "R", RIGHT), else_=LEFT)
    placed = select(Placement.consultant_id, Placement.parent_id, leg).where(stood(at))
    return read_columns(session, placed, width=3)


def _below(session: Session, consultant_id: int, *, at: datetime) -> Team:
    ids, parents, legs = _placed(session, at)
    place = np.full(int(max(consultant_id, ids.max(initial=0), parents.max(initial=0))) + 1, NONE, np.int64)
    place[ids] = np.arange(len(ids))
    above, top = np.where(parents >= 0, place[parents], NONE), int(place[consultant_id])
    if top < 0:
        return NOBODY
    seat, before, behind = in_order(above, legs.astype(np.int8))
    is_below = (seat > before[top]) & (seat < behind[top]) & (seat != seat[top])
    depth = depths(above)
    sides = np.where(seat > seat[top], RIGHT, LEFT)
    return Team(ids[is_below], sides[is_below], (depth - depth[top])[is_below])
