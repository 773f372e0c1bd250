"""Consultants found by their code, their e-mail, or how their first or last name begins; by indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, literal, not_, select, tuple_
from sqlalchemy.orm import Session, contains_eager

from portal.models import Consultant, Person
from portal.models.person import LAST_NAME, Folded

NAME: Final = Folded(Person.name)
# As many as a form that asks for one of them shows.
FOUND: Final = 8
LAST_LETTER: Final = "\U0010ffff"


def find_people(session: Session, asked: str, *, after: str = "", most: int = 50) -> Sequence[Consultant]:
    """Whoever has this code or this whole e-mail, else those of whose name the beginning or the last word
    begins so, in this order; the newest consultants where nothing is asked.

    A page begins behind the consultant of the public id `after`.
    """
    asked = " ".join(asked.split())
    if not (asked + after).isprintable():
        return []
    if not asked:
        return _newest(session, after, most)
    if "@" in asked:
        return _all(session, _people().where(Person.email.in_({asked, asked.lower()})).limit(most))
    known = _all(session, _people().where(Consultant.code == asked.upper()))
    return known or _named(session, asked, after=after, most=most)


def _newest(session: Session, after: str, most: int) -> Sequence[Consultant]:
    wanted = _people().order_by(Consultant.id.desc()).limit(most)
    if after:
        place = select(Consultant.id).where(Consultant.public_id == after).scalar_subquery()
        wanted = wanted.where(Consultant.id < place)
    return _all(session, wanted)


def _named(session: Session, asked: str, *, after: str, most: int) -> Sequence[Consultant]:
    """Two walks along an index, one behind the other, so that a page costs what is on it."""
    first, last = _begins(NAME, asked), and_(_begins(LAST_NAME, asked), not_(_begins(NAME, asked)))
    place = _place(session, after, first) if after else None
    if after and place is None:
        return []
    found: list[Consultant] = []
    if place is None or place.is_first:
        behind = (place.name, place.id) if place else None
        found += _walk(session, first, NAME, behind=behind, most=most)
    if len(found) < most:
        behind = (place.last, place.id) if place and not place.is_first else None
        found += _walk(session, last, LAST_NAME, behind=behind, most=most - len(found))
    return found


def _place(session: Session, after: str, first: ColumnElement[bool]) -> Any:
    """Where the consultant stands behind whom a page begins."""
    asked = select(NAME.label("name"), LAST_NAME.label("last"), Person.id, first.label("is_first"))
    here = asked.join(Consultant, Consultant.person_id == Person.id).where(Consultant.public_id == after)
    return session.execute(here).one_or_none()


def _walk(
    session: Session,
    fits: ColumnElement[bool],
    key: ColumnElement[str],
    *,
    behind: tuple[str, int] | None,
    most: int,
) -> Sequence[Consultant]:
    wanted = _people().where(fits).order_by(key, Person.id).limit(most)
    if behind is not None:
        wanted = wanted.where(tuple_(key, Person.id) > tuple_(literal(behind[0]), literal(behind[1])))
    return _all(session, wanted)


def _begins(key: ColumnElement[str], asked: str) -> ColumnElement[bool]:
    """A range, since an index serves LIKE on one engine only."""
    return and_(key >= Folded(literal(asked)), key < Folded(literal(asked + LAST_LETTER)))


def _people() -> Select[Any]:
    people = select(Consultant).join(Person, Person.id == Consultant.person_id)
    return people.options(contains_eager(Consultant.person))


def _all(session: Session, wanted: Select[Any]) -> Sequence[Consultant]:
    return session.scalars(wanted).all()
