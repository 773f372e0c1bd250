"""Who sees whom: a consultant their own downline, as far down as their pack shows it, by short names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CTE, ColumnElement, Select, and_, literal, or_, select
from sqlalchemy.orm import Session

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


def viewer_for(session: Session, person_id: int) -> Viewer:
    """The viewer that a signed-in person is. Raises NotYours for people who are not consultants."""
    found = session.execute(
        select(Consultant, Pack.features)
        .join(Pack, Pack.code == Consultant.pack)
        .where(Consultant.person_id == person_id)
    ).one_or_none()
    if found is None:
        raise NotYours("There is nothing here under this address.")
    levels = found[1].get("tree_levels")
    return Viewer(found[0], levels if isinstance(levels, int) else None)


def seen_by(viewer: Viewer) -> Select[int, str, int]:
    """Id, leg and level of whom a viewer sees now; a pack without the tree shows whom they sponsored."""
    if viewer.levels == 0:
        here = select(Consultant.id, literal("").label("leg"), literal(0).label("level"))
        return here.where(Consultant.sponsor_id == viewer.id)
    team = below(viewer.id, at=None, levels=viewer.levels, name="team")
    return select(team.c.consultant_id.label("id"), team.c.leg, team.c.level)


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
