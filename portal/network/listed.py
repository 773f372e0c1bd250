"""Reads of a team as a list: who stands below a viewer, on which leg and how far down, found and in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from portal import live
from portal.live import NOBODY, Team
from portal.members.team import Viewer, below
from portal.models import Consultant, Pack, Person
from portal.network.teams import LEFT, NAMES_OF_SIDES, RIGHT, standing_below
from portal.store.columns import columns_of, read_columns

ORDERS: Final = ("newest", "oldest", "name", "near")
# A recursive question costs what is below somebody; reading the whole tree costs the same for everybody.
MOST_BY_RECURSION: Final = 5_000


@dataclass(frozen=True)
class Wanted:
    """Whom to list: `name` begins the name that is shown; `side` is left, right or empty; own people only.

    `order` is one of `ORDERS`; `near` begins with those right below the viewer.
    """

    name: str = ""
    side: str = ""
    own: bool = False
    order: str = "newest"


@dataclass(frozen=True)
class Row:
    """One person of a team; `side` is empty and `level` 0 for whoever has no place in it."""

    consultant: Consultant
    name: str
    pack: str
    side: str
    level: int


def page_of(
    session: Session, viewer: Viewer, wanted: Wanted, *, start: int, limit: int
) -> tuple[list[Row], int]:
    """Some of them, in the order that is wanted, and how many there are in all."""
    found = find(session, viewer, wanted)
    return rows_of(session, viewer, found.part(start, start + limit)), len(found.ids)


def find(session: Session, viewer: Viewer, wanted: Wanted) -> Team:
    """Everybody who is wanted, in order. Large teams are found in memory, not by recursion."""
    now = live.team(viewer.id, levels=viewer.levels) if viewer.levels != 0 else NOBODY
    if len(now.ids) > MOST_BY_RECURSION:
        return _found_in(standing_below(session, viewer, now), session, viewer, wanted)
    found = _found(viewer, wanted).subquery()
    rows = session.execute(
        select(Consultant.id, case((found.c.leg == "R", RIGHT), (found.c.leg == "L", LEFT)), found.c.level)
        .join(found, found.c.id == Consultant.id)
        .join(Consultant.person)
        .order_by(*_order(wanted, found))
    ).all()
    ids, legs, levels = columns_of(rows, width=3)
    return Team(ids, legs.astype(np.int8), levels)


def rows_of(session: Session, viewer: Viewer, team: Team) -> list[Row]:
    """What a list shows of these people."""
    ids = team.ids.tolist()
    found = session.execute(
        select(Consultant, Pack.name)
        .join(Consultant.person)
        .join(Pack, Pack.code == Consultant.pack)
        .options(contains_eager(Consultant.person))
        .where(Consultant.id.in_(ids))
    )
    known = {consultant.id: (consultant, pack) for consultant, pack in found}
    legs, levels = team.legs.tolist(), team.levels.tolist()
    return [
        Row(known[one][0], viewer.name_of(known[one][0]), known[one][1], NAMES_OF_SIDES.get(leg, ""), level)
        for one, leg, level in zip(ids, legs, levels, strict=True)
    ]


def _found_in(team: Team, session: Session, viewer: Viewer, wanted: Wanted) -> Team:
    """Whom of a team is wanted: the database knows names and days, the team legs and levels."""
    found = team
    if wanted.side:
        found = found.where(found.legs == (LEFT if wanted.side == "left" else RIGHT))
    if wanted.own or wanted.name or wanted.order != "near":
        found = found.of(_ids_in_order(session, viewer, wanted))
    if wanted.order == "near":
        found = found.where(np.lexsort((found.ids, found.legs, found.levels)))
    return found


def _ids_in_order(session: Session, viewer: Viewer, wanted: Wanted) -> NDArray[np.int64]:
    everybody = select(Consultant.id)
    if wanted.name or wanted.order == "name":
        everybody = everybody.join(Consultant.person)
    if wanted.own:
        everybody = everybody.where(Consultant.sponsor_id == viewer.id)
    if wanted.name:
        everybody = everybody.where(_called(viewer, wanted.name))
    if wanted.order != "near":
        everybody = everybody.order_by(*_order(wanted, None))
    (ids,) = read_columns(session, everybody, width=1)
    return ids


def _order(wanted: Wanted, found: Subquery | None) -> tuple[Any, ...]:
    near = (found.c.level, found.c.leg, Consultant.id) if found is not None else ()
    return {
        "newest": (Consultant.joined_at.desc(), Consultant.id.desc()),
        "oldest": (Consultant.joined_at, Consultant.id),
        "name": (func.lower(Person.name), Consultant.id),
        "near": near,
    }[wanted.order]


def _found(viewer: Viewer, wanted: Wanted) -> Select[int, str, int]:
    """Id, leg and level of whoever is wanted. A pack without the tree lists the people it sponsored."""
    if viewer.levels == 0:
        here = select(Consultant.id, literal("").label("leg"), literal(0).label("level"))
        here = here.where(Consultant.sponsor_id == viewer.id)
        if viewer.at is not None:
            here = here.where(Consultant.joined_at < viewer.at)
    else:
        team = _team(viewer)
        here = select(Consultant.id, team.c.leg, team.c.level).join(
            team, team.c.consultant_id == Consultant.id
        )
        if wanted.side:
            here = here.where(team.c.leg == wanted.side[:1].upper())
    if wanted.own:
        here = here.where(Consultant.sponsor_id == viewer.id)
    if wanted.name:
        here = here.join(Person, Person.id == Consultant.person_id).where(_called(viewer, wanted.name))
    return here


def _team(viewer: Viewer) -> CTE:
    """Everybody below the viewer: as it was at a moment, of those who are in the team and shown now."""
    now = below(viewer.id, at=None, levels=viewer.levels, name="now")
    if viewer.at is None:
        return now
    then = below(viewer.id, at=viewer.at, levels=None, name="past")
    still = select(then).join(now, now.c.consultant_id == then.c.consultant_id)
    return still.cte("team")


def _called(viewer: Viewer, written: str) -> ColumnElement[bool]:
    """Whose shown name begins like this; whom the viewer sponsored are found by any word and by their code.

    Of others only the first name and an initial are shown, so nothing behind that is searched.
    """
    text, name = written.lower().rstrip("."), func.lower(Person.name)
    word = or_(name.startswith(text, autoescape=True), name.contains(f" {text}", autoescape=True))
    own = and_(Consultant.sponsor_id == viewer.id, or_(word, Consultant.code == written.upper()))
    first, space, rest = text.partition(" ")
    if len(rest) > 1:
        return own
    initial = name.contains(f" {rest}", autoescape=True) if rest else true()
    return or_(own, and_(name.startswith(first + space, autoescape=True), initial))
