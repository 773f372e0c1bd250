"""Reads about people and their places. All of them ask the current placements only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, ScalarSelect, Select, exists, func, literal, select, true
from sqlalchemy.orm import Session, aliased

from portal.models import AccountUser, Agreement, Consultant, Pack, Payment, Placement, Registration
from portal.models.types import Whole

FIRST_COUNT = 1_000


def packs(session: Session) -> Sequence[Pack]:
    """The plans one can choose, in their order."""
    return session.scalars(select(Pack).order_by(Pack.position)).all()


def current_agreement(session: Session) -> Agreement:
    """The agreement that new consultants accept."""
    return session.scalars(select(Agreement).order_by(Agreement.published_at.desc()).limit(1)).one()


def sponsor_by_code(session: Session, code: str) -> Consultant | None:
    """The active consultant whose link carries the code, however it is typed."""
    wanted = Consultant.code == code.strip().upper()
    return session.scalar(select(Consultant).where(wanted, Consultant.status == "active"))


def registration(session: Session, public_id: str) -> Registration | None:
    """The registration of this public id."""
    return session.scalar(select(Registration).where(Registration.public_id == public_id))


def duplicate_registrations(session: Session) -> Sequence[Registration]:
    """Paid, but somebody with the same e-mail was there first: people whom an admin must help."""
    statement = select(Registration).where(Registration.state == "duplicate").order_by(Registration.id)
    return session.scalars(statement).all()


def leg_wish_of(session: Session, consultant_id: int) -> str | None:
    """The side that the link of this consultant carried, `L` or `R`."""
    wanted = Registration.consultant_id == consultant_id
    return session.scalar(select(Registration.leg_wish).where(wanted).limit(1))


def is_email_taken(session: Session, email: str) -> bool:
    """Whether somebody signs in with this e-mail."""
    return session.scalar(select(exists().where(AccountUser.email == email.lower()))) is True


def payments_of(session: Session, registration_id: int) -> Sequence[Payment]:
    """What was paid for a registration, oldest first."""
    wanted = Payment.registration_id == registration_id
    return session.scalars(select(Payment).where(wanted).order_by(Payment.id)).all()


def consultant_of(session: Session, person_id: int) -> Consultant | None:
    """The consultant that a person is."""
    return session.scalar(select(Consultant).where(Consultant.person_id == person_id))


def consultant_by_public_id(session: Session, public_id: str) -> Consultant | None:
    """The consultant of this public id."""
    return session.scalar(select(Consultant).where(Consultant.public_id == public_id))


def placement_of(session: Session, consultant_id: int) -> Placement | None:
    """Where a consultant stands now; None while they wait for a place."""
    current = Placement.valid_until.is_(None)
    return session.scalar(select(Placement).where(Placement.consultant_id == consultant_id, current))


def children_of(session: Session, parent_id: int) -> dict[str, Consultant]:
    """Who stands directly below, by leg `L` and `R`."""
    statement = (
        select(Placement.leg, Consultant)
        .join(Consultant, Consultant.id == Placement.consultant_id)
        .where(Placement.parent_id == parent_id, Placement.valid_until.is_(None))
    )
    return {leg: consultant for leg, consultant in session.execute(statement) if leg}


def waiting_people(session: Session, sponsor_id: int) -> Sequence[Consultant]:
    """The people a sponsor has to place, longest waiting first."""
    return session.scalars(waiting().where(Consultant.sponsor_id == sponsor_id)).all()


def waiting() -> Select[Consultant]:
    """Active consultants with a sponsor and without a place, longest waiting first."""
    place = aliased(Placement)
    placed = exists().where(place.consultant_id == Consultant.id, place.valid_until.is_(None))
    return (
        select(Consultant)
        .where(Consultant.status == "active", Consultant.sponsor_id.is_not(None), ~placed)
        .order_by(Consultant.joined_at, Consultant.id)
    )


def is_in_downline(session: Session, root_id: int, consultant_id: int) -> bool:
    """Whether the consultant stands somewhere below the root (not the root itself): a walk up."""
    start = select(_parent_of(literal(consultant_id, Whole())).label("id"))
    above = start.cte("above", recursive=True)
    step = select(_parent_of(above.c.id)).where(above.c.id.is_not(None), above.c.id != root_id)
    above = above.union_all(step)
    return session.scalar(select(exists().where(above.c.id == root_id))) is True


def outside_edge(session: Session, root_id: int, leg: str) -> int:
    """The last consultant on the outer side of a leg, or the root: under whom the next one goes."""
    edge = select(literal(root_id, Whole()).label("id"), literal(0).label("depth")).cte(
        "edge", recursive=True
    )
    step = select(_child_of(edge.c.id, literal(leg)), edge.c.depth + 1).where(edge.c.id.is_not(None))
    edge = edge.union_all(step)
    last = select(edge.c.id).where(edge.c.id.is_not(None)).order_by(edge.c.depth.desc()).limit(1)
    return session.scalars(last).one()


def smaller_leg(session: Session, root_id: int) -> str:
    """The leg with fewer people, left when they are equal. Counts no further than the smaller one needs."""
    limit = FIRST_COUNT
    while True:
        left, right = (_count_leg(session, root_id, leg, limit=limit) for leg in ("L", "R"))
        if min(left, right) < limit:
            return "R" if right < left else "L"
        limit *= 10


def _count_leg(session: Session, root_id: int, leg: str, *, limit: int) -> int:
    first = select(_child_of(literal(root_id, Whole()), literal(leg)).label("id"))
    people = first.cte("people", recursive=True)
    legs = select(literal("L").label("leg")).union_all(select(literal("R"))).subquery("legs")
    step = select(_child_of(people.c.id, legs.c.leg)).select_from(people).join(legs, true())
    people = people.union_all(step.where(people.c.id.is_not(None)))
    some = select(people.c.id).where(people.c.id.is_not(None)).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _child_of(parent_id: ColumnElement[int], leg: ColumnElement[str]) -> ScalarSelect[int]:
    """Who stands on a spot.

    A scalar subquery, so that PostgreSQL asks the index once for each step of a walk; a join it may answer by
    reading the whole table at every step.
    """
    below = aliased(Placement)
    spot = (below.parent_id == parent_id, below.leg == leg, below.valid_until.is_(None))
    return select(below.consultant_id).where(*spot).scalar_subquery()


def _parent_of(consultant_id: ColumnElement[int]) -> ScalarSelect[int]:
    place = aliased(Placement)
    current = (place.consultant_id == consultant_id, place.valid_until.is_(None))
    return select(place.parent_id).where(*current).scalar_subquery()
