"""Who sees whom: a consultant their own downline, as far down as their pack shows it, by short names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, and_, literal, or_, select
from sqlalchemy.orm import Session

from portal import live
from portal.kernel.errors import NotYours
from portal.models import Consultant, Pack, Placement

SIDES: Final = {"L": "left", "R": "right"}
_DEEPEST: Final = 1_000_000


@dataclass(frozen=True)
class Viewer:
    """Who looks; `levels` is how far below them their pack lets them see, None for the whole downline.

    `at` is the moment whose tree they look at, None for now.
    """

    consultant: Consultant
    levels: int | None
    at: datetime | None = None

    @property
    def id(self) -> int:
        return self.consultant.id

    def name_of(self, consultant: Consultant) -> str:
        """The full name of themselves and of whom they sponsored; of others first name and initial."""
        return consultant.name_for(self.id)


class Seen(NamedTuple):
    """Somebody a viewer sees: the leg (`L`, `R`) and level they stand on; empty and 0 outside the tree."""

    id: int
    leg: str
    level: int


def viewer_for(session: Session, person_id: int) -> Viewer:
    """The viewer that a person is. Raises NotYours for people who are not consultants."""
    found = session.execute(
        select(Consultant, Pack.features)
        .join(Pack, Pack.code == Consultant.pack)
        .where(Consultant.person_id == person_id)
    ).one_or_none()
    return viewer_of(*found) if found else viewer_of(None, {})


def viewer_of(consultant: Consultant | None, features: dict[str, Any]) -> Viewer:
    """The viewer that a consultant is by what their pack opens. Raises NotYours for nobody."""
    if consultant is None:
        raise NotYours("There is nothing here under this address.")
    levels = features.get("tree_levels")
    return Viewer(consultant, levels if isinstance(levels, int) else None)


def seen_by(session: Session, viewer: Viewer, *, after: int, most: int) -> list[Seen]:
    """The next people a viewer sees now, by id; a pack without the tree shows whom they sponsored."""
    if viewer.levels == 0:
        own = select(Consultant.id).where(Consultant.sponsor_id == viewer.id, Consultant.id > after)
        return [Seen(one, "", 0) for one in session.scalars(own.order_by(Consultant.id).limit(most))]
    team = live.team(viewer.id, after=after, most=most, levels=viewer.levels)
    columns = (column.tolist() for column in team)
    return [Seen(one, "LR"[leg], level) for one, leg, level in zip(*columns, strict=True)]


def stood(at: datetime | None) -> ColumnElement[bool]:
    """Placements of a moment; of now where none is given. One that ends at that moment still counts."""
    if at is None:
        return Placement.valid_until.is_(None)
    until = or_(Placement.valid_until.is_(None), Placement.valid_until >= at)
    return and_(Placement.valid_from < at, until)


def below(viewer_id: int, *, at: datetime | None, levels: int | None, name: str) -> CTE:
    """Everybody below somebody with their leg and level, as it was at a moment or is now."""
    first = select(Placement.consultant_id, Placement.leg, literal(1).label("level"))
    team = first.where(Placement.parent_id == viewer_id, stood(at)).cte(name, recursive=True)
    deeper = (
        select(Placement.consultant_id, team.c.leg, team.c.level + 1)
        .join(team, Placement.parent_id == team.c.consultant_id)
        .where(stood(at), team.c.level < (levels or _DEEPEST))
    )
    return team.union_all(deeper)
