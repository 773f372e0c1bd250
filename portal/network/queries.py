"""Reads of the tree for one viewer. What is not below the viewer does not exist for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.members import queries as members
from portal.members.team import SIDES, Viewer, stood
from portal.models import Consultant, Pack, Placement, Sale

GENERATIONS = 3
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
    way = _way_seen(session, viewer, focus.id) if focus else []
    if focus is None or not way:
        raise NotYours("There is nothing here under this address.")
    return focus, _path(session, viewer, way)


def _way_seen(session: Session, viewer: Viewer, focus_id: int) -> list[tuple[int, str]]:
    """The way down to somebody; empty where the viewer may not see them. The rights are those of now."""
    way = _way_up(session, focus_id, viewer.id, at=None)
    if viewer.levels is not None and len(way) - 1 > viewer.levels:
        return []
    if way and viewer.at is not None:
        way = _way_up(session, focus_id, viewer.id, at=viewer.at)
    return way


def is_shown(session: Session, viewer: Viewer, consultant: Consultant) -> bool:
    """Whether somebody below the viewer stands within the levels that the viewer's pack shows."""
    return (
        viewer.levels is None
        or 0 < len(_way_up(session, consultant.id, viewer.id, at=None)) <= viewer.levels + 1
    )


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


def _way_up(session: Session, focus_id: int, viewer_id: int, *, at: datetime | None) -> list[tuple[int, str]]:
    """Ids and sides from the viewer down to the focus; empty when the viewer was not above."""
    way = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, literal(0).label("step"))
        .where(Placement.consultant_id == focus_id, stood(at))
        .cte("way", recursive=True)
    )
    above = (
        select(Placement.consultant_id, Placement.parent_id, Placement.leg, way.c.step + 1)
        .join(way, Placement.consultant_id == way.c.parent_id)
        .where(stood(at), way.c.consultant_id != viewer_id)
    )
    way = way.union_all(above)
    rows = session.execute(select(way.c.consultant_id, way.c.leg).order_by(way.c.step.desc())).all()
    if not rows:
        return [(focus_id, "")] if focus_id == viewer_id else []
    return [(found, SIDES.get(leg, "")) for found, leg in rows] if rows[0][0] == viewer_id else []


def _path(session: Session, viewer: Viewer, way: list[tuple[int, str]]) -> Path:
    long = len(way) > ENDS * 2 + 1
    first, last = (way[:ENDS], way[-ENDS:]) if long else (way, [])
    between = way[ENDS:-ENDS][-BETWEEN:] if long else []
    wanted = [found for found, _side in (*first, *between, *last)]
    people = {
        found.id: found for found in session.scalars(select(Consultant).where(Consultant.id.in_(wanted)))
    }

    def steps(part: list[tuple[int, str]]) -> list[Step]:
        return [Step(people[found], viewer.name_of(people[found]), side) for found, side in part]

    return Path(steps(first), steps(between), len(way) - 2 * ENDS if long else 0, steps(last), len(way) - 1)


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
