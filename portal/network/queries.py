"""Reads of the tree for one viewer. What is not below the viewer does not exist for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from portal import live
from portal.kernel.errors import NotYours
from portal.members import queries as members
from portal.members.team import SIDES, Viewer, stood
from portal.models import Consultant, Pack, Placement, Sale
from portal.network.teams import LEFT, NAMES_OF_SIDES, RIGHT, way_then
from portal.store.columns import NONE

GENERATIONS = 3
# Who stands from a viewer down to somebody, and on which leg of the one above: -1 for who is nobody's.
Way = tuple[Sequence[int], Sequence[int]] | tuple[NDArray[np.int64], NDArray[np.int8]]

# So many steps up are asked of the database one by one; for a longer way the whole tree is read.
LONG_WAY = 5_000
LEGS = {side: leg for leg, side in SIDES.items()}
ENDS = 2
BETWEEN = 40
SPONSORED = 50


@dataclass(frozen=True)
class Step:
    """One person on the way down from the viewer, and the leg they stand on."""

    consultant: Consultant
    name: str
    side: str


@dataclass(frozen=True)
class Path:
    """The way from the viewer to the person in focus: `first`, then `more` people between, then `last`."""

    first: Sequence[Step]
    between: Sequence[Step]
    more: int
    last: Sequence[Step]
    depth: int


@dataclass(frozen=True)
class End:
    """The last person on the outer side of a leg; `own` when that is the viewer: the leg is empty."""

    public_id: str
    name: str
    own: bool


@dataclass(frozen=True)
class Spot:
    """A place in the tree: somebody with a spot on either side, or nobody (`consultant` is None).

    `children` is empty where the picture ends; `gone` says that somebody stood there who is not in the
    viewer's team any more.
    """

    side: str
    parent: Consultant | None = None
    consultant: Consultant | None = None
    name: str = ""
    children: tuple[Spot, ...] = ()
    gone: bool = False


def person_below(session: Session, viewer: Viewer, public_id: str) -> tuple[Consultant, Path]:
    """A person in the viewer's downline, or the viewer, and the way there.

    Raises NotYours for anybody else, and below the levels that the viewer's pack shows.
    """
    focus = session.scalar(select(Consultant).where(Consultant.public_id == public_id))
    way: Way = _way_seen(session, viewer, focus.id) if focus else ([], [])
    if focus is None or not len(way[0]):
        raise NotYours("There is nothing here under this address.")
    return focus, _path(session, viewer, way)


def _way_seen(session: Session, viewer: Viewer, focus_id: int) -> Way:
    """The way down to somebody; nobody where the viewer may not see them. Rights are those of now."""
    ids, legs = live.way(viewer.id, focus_id)
    if not len(ids) or (viewer.levels is not None and len(ids) - 1 > viewer.levels):
        return [], []
    if viewer.at is not None:
        return _way_then(session, viewer.id, focus_id, at=viewer.at)
    return ids, legs


def is_shown(viewer: Viewer, consultant: Consultant) -> bool:
    """Whether somebody below the viewer stands within the levels that the viewer's pack shows."""
    return viewer.levels is None or 0 < len(live.way(viewer.id, consultant.id)[0]) <= viewer.levels + 1


def end_of_leg(session: Session, viewer: Viewer, side: str) -> End:
    """The last person on the outer side of one of the viewer's legs."""
    last = session.get_one(Consultant, members.outside_edge(session, viewer.id, LEGS[side]))
    return End(last.public_id, viewer.name_of(last), own=last.id == viewer.id)


def picture(session: Session, viewer: Viewer, focus: Consultant, *, depth: int) -> Spot:
    """The focus with the generations below it; `depth` is how far below the viewer the focus stands."""
    generations = GENERATIONS if viewer.levels is None else min(GENERATIONS, viewer.levels - depth)
    below = _below(session, focus.id, generations, at=viewer.at) if generations > 0 else {}
    return _spot(viewer, focus, below, side="", generations=generations)


def still_there(spot: Spot, team: Collection[int]) -> Spot:
    """A picture of the past without those who are not in the team any more."""
    if spot.consultant is None:
        return spot
    if spot.consultant.id not in team:
        return Spot(spot.side, gone=True)
    return replace(spot, children=tuple(still_there(child, team) for child in spot.children))


def people_in(spot: Spot) -> list[int]:
    """The ids of everybody in a picture."""
    own = [spot.consultant.id] if spot.consultant else []
    return own + [found for child in spot.children for found in people_in(child)]


def _way_then(session: Session, top_id: int, focus_id: int, *, at: datetime) -> Way:
    """Who stood from somebody down to another at a moment: a short way is asked for step by step."""
    way = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, literal(0).label("step"))
        .where(Placement.consultant_id == focus_id, stood(at))
        .cte("way", recursive=True)
    )
    above = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, way.c.step + 1)
        .join(way, Placement.consultant_id == way.c.parent_id)
        .where(stood(at), way.c.consultant_id != top_id, way.c.step < LONG_WAY)
    )
    way = way.union_all(above)
    rows = session.execute(select(way.c.consultant_id, way.c.leg).order_by(way.c.step.desc())).all()
    if len(rows) > LONG_WAY:
        return way_then(session, top_id, focus_id, at=at)
    if not rows or rows[0][0] != top_id:
        return ([focus_id], [NONE]) if focus_id == top_id else ([], [])
    return [row[0] for row in rows], [LEFT if row[1] == "L" else RIGHT for row in rows]


def _path(session: Session, viewer: Viewer, way: Way) -> Path:
    length = len(way[0])
    is_long = length > ENDS * 2 + 1
    first = _part(way, 0, ENDS if is_long else length)
    between = _part(way, max(ENDS, length - ENDS - BETWEEN), length - ENDS) if is_long else []
    last = _part(way, length - ENDS, length) if is_long else []
    wanted = [found for found, _side in (*first, *between, *last)]
    people = {
        found.id: found for found in session.scalars(select(Consultant).where(Consultant.id.in_(wanted)))
    }

    def steps(part: list[tuple[int, str]]) -> list[Step]:
        return [Step(people[found], viewer.name_of(people[found]), side) for found, side in part]

    return Path(steps(first), steps(between), length - 2 * ENDS if is_long else 0, steps(last), length - 1)


def _part(way: Way, start: int, end: int) -> list[tuple[int, str]]:
    ids, legs = (each[start:end] for each in way)
    return [(int(one), NAMES_OF_SIDES.get(int(leg), "")) for one, leg in zip(ids, legs, strict=True)]


def _below(
    session: Session, focus_id: int, generations: int, *, at: datetime | None
) -> dict[tuple[int, str], Consultant]:
    """Everybody in the next generations, by parent and leg."""
    tree = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, literal(1).label("generation"))
        .where(Placement.parent_id == focus_id, stood(at))
        .cte("tree", recursive=True)
    )
    deeper = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, tree.c.generation + 1)
        .join(tree, Placement.parent_id == tree.c.consultant_id)
        .where(stood(at), tree.c.generation < generations)
    )
    tree = tree.union_all(deeper)
    rows = session.execute(
        select(tree.c.parent_id, tree.c.leg, Consultant).join(
            Consultant, Consultant.id == tree.c.consultant_id
        )
    )
    return {(parent_id, leg): consultant for parent_id, leg, consultant in rows}


def _spot(
    viewer: Viewer,
    consultant: Consultant,
    below: Mapping[tuple[int, str], Consultant],
    *,
    side: str,
    generations: int,
) -> Spot:
    children: tuple[Spot, ...] = ()
    if generations > 0:
        children = tuple(
            _spot(viewer, found, below, side=SIDES[leg], generations=generations - 1)
            if (found := below.get((consultant.id, leg)))
            else Spot(SIDES[leg], parent=consultant)
            for leg in SIDES
        )
    return Spot(side, consultant=consultant, name=viewer.name_of(consultant), children=children)


@dataclass(frozen=True)
class Details:
    """What stands beside the tree about the person in focus."""

    name: str
    pack: str
    sponsor: str
    own: bool
    last_sale_at: datetime | None


def details(session: Session, viewer: Viewer, focus: Consultant) -> Details:
    """The person in focus: pack, sponsor, last sale; contact only of whom the viewer sponsored."""
    pack = session.get_one(Pack, focus.pack)
    sponsor = session.get(Consultant, focus.sponsor_id) if focus.sponsor_id else None
    last = select(Sale.recorded_at).where(Sale.consultant_id == focus.id, Sale.reverses_id.is_(None))
    return Details(
        name=viewer.name_of(focus),
        pack=pack.name,
        sponsor=_sponsor_name(viewer, focus, sponsor),
        own=focus.sponsor_id == viewer.id,
        last_sale_at=session.scalar(last.order_by(Sale.id.desc()).limit(1)),
    )


def sponsored(session: Session, viewer: Viewer) -> Sequence[Consultant]:
    """The newest people a viewer sponsored, wherever they stand."""
    wanted = select(Consultant).where(Consultant.sponsor_id == viewer.id)
    return session.scalars(wanted.order_by(Consultant.id.desc()).limit(SPONSORED)).all()


def _sponsor_name(viewer: Viewer, focus: Consultant, sponsor: Consultant | None) -> str:
    """The sponsor's name, unless they stand above the viewer, whom that is no business of."""
    if sponsor is None or focus.id == viewer.id or sponsor.id == viewer.id:
        return ""
    return viewer.name_of(sponsor)
