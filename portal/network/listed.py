"""Reads of a team as a list: who stands below a viewer, on which leg and how far down, found and in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, func, literal, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from portal.members.team import SIDES, Viewer, below
from portal.models import Consultant, Pack, Person

ORDERS: Final = ("newest", "oldest", "name", "near")


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
    session: Session, viewer: Viewer, wanted: Wanted, *, start: int, limit: int | None
) -> tuple[list[Row], int]:
    """Some of them, in the order that is wanted, and how many there are in all; 0 behind the last one."""
    found = _found(viewer, wanted).subquery()
    rows = session.execute(
        select(Consultant, Pack.name, found.c.leg, found.c.level, func.count().over())
        .join(found, found.c.id == Consultant.id)
        .join(Consultant.person)
        .join(Pack, Pack.code == Consultant.pack)
        .options(contains_eager(Consultant.person))
        .order_by(*_order(wanted, found))
        .offset(start)
        .limit(limit)
    ).all()
    listed = [
        Row(consultant, viewer.name_of(consultant), pack, SIDES.get(leg or "", ""), level or 0)
        for consultant, pack, leg, level, _all in rows
    ]
    return listed, rows[0][-1] if rows else 0


def _order(wanted: Wanted, found: Subquery) -> tuple[Any, ...]:
    return {
        "newest": (Consultant.joined_at.desc(), Consultant.id.desc()),
        "oldest": (Consultant.joined_at, Consultant.id),
        "name": (func.lower(Person.name), Consultant.id),
        "near": (found.c.level, found.c.leg, Consultant.id),
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
