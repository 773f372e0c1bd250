"""Teams of any size, read at once: who stands below somebody, on which leg and how far down."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from portal.engine.order import in_order
from portal.members.team import Viewer, stood
from portal.models import Placement
from portal.store.columns import NONE, read_columns

Ints = NDArray[np.int64]

LEFT: Final = 0
RIGHT: Final = 1


class Team(NamedTuple):
    """Some people: consultant ids, legs (`LEFT`, `RIGHT`, -1 without a place), levels below the viewer."""

    ids: Ints
    legs: Ints
    levels: Ints

    def part(self, start: int, end: int) -> Team:
        """Some of them, by place."""
        return self.where(slice(start, end))

    def where(self, chosen: Any) -> Team:
        """Those who are chosen by anything that an array takes as an index."""
        return Team(*(column[chosen] for column in self))

    def of(self, ids: Ints) -> Team:
        """Who of these is in the team, in the order of `ids`."""
        place = _places(self.ids, up_to=int(ids.max(initial=0)))
        at = place[ids]
        return self.where(at[at >= 0])


def standing_below(session: Session, viewer: Viewer) -> Team:
    """Everybody below a viewer: as it was at a moment, of those who are below the viewer now."""
    now = _below(session, viewer.id, at=None)
    return now if viewer.at is None else _below(session, viewer.id, at=viewer.at).of(now.ids)


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


def _below(session: Session, consultant_id: int, *, at: datetime | None) -> Team:
    leg = case((Placement.leg == "R", RIGHT), else_=LEFT)
    placed = select(Placement.consultant_id, Placement.parent_id, leg).where(stood(at))
    ids, parents, legs = read_columns(session, placed, width=3)
    place = _places(ids, up_to=max(consultant_id, int(parents.max(initial=0))))
    above, top = np.where(parents >= 0, place[parents], NONE), int(place[consultant_id])
    if top < 0:
        return Team(*(np.zeros(0, np.int64) for _ in range(3)))
    seat, before, behind = in_order(above, legs.astype(np.int8))
    is_below = (seat > before[top]) & (seat < behind[top]) & (seat != seat[top])
    depth = depths(above)
    sides = np.where(seat > seat[top], RIGHT, LEFT)
    return Team(ids[is_below], sides[is_below], (depth - depth[top])[is_below])


def _places(ids: Ints, *, up_to: int) -> Ints:
    """Where each id stands in `ids`; -1 for those that do not."""
    place = np.full(max(int(ids.max(initial=0)), up_to) + 1, NONE, np.int64)
    place[ids] = np.arange(len(ids))
    return place
