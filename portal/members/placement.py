"""Who stands where. Everybody who gives out a spot waits for the others, so that no spot is given twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from sqlalchemy import or_
from sqlalchemy.orm import aliased

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.facts import ConsultantPlaced
from portal.members import queries
from portal.models import Consultant, Placement
from portal.store import UnitOfWork
from portal.store.locks import advisory

# Left and right volume of a consultant in hundredths, or None where nobody knows.
Volumes: TypeAlias = Callable[[int], tuple[int, int] | None]

LEGS = ("L", "R")
WAITING_AT_MOST = timedelta(days=7)

_SIDES = {"left": "L", "right": "R"}


def unknown_volumes(_consultant_id: int) -> None:
    """For callers who know no volumes: the leg with fewer people is the weaker one."""


def place_newcomer(
    uow: UnitOfWork,
    *,
    consultant: Consultant,
    leg_wish: str | None = None,
    volumes: Volumes = unknown_volumes,
) -> Placement | None:
    """Place somebody who has just joined as their sponsor prefers.

    `leg_wish` (`L`, `R`) is the side the link carried. None: the sponsor
    places by hand, or waits for a place too.
    """
    if consultant.sponsor_id is None:
        return _put(uow, consultant, parent_id=None, leg=None)
    sponsor = uow.session.get_one(Consultant, consultant.sponsor_id)
    if sponsor.preference == "hand":
        return None
    return _place_below(uow, consultant, sponsor=sponsor, leg_wish=leg_wish, volumes=volumes)


def place_by_hand(
    uow: UnitOfWork, *, sponsor: Consultant, consultant: Consultant, parent: Consultant, leg: str
) -> Placement:
    """Give a waiting person the spot that their sponsor chose.

    Raises `NotYours` for the people or the downline of others, `Conflict` when the person or the spot is
    taken meanwhile, `BadInput` for a leg that does not exist.
    """
    if leg not in LEGS:
        raise BadInput("Please choose left or right.", field="leg")
    _lock_tree(uow)
    if consultant.sponsor_id != sponsor.id:
        raise NotYours("There is nothing here under this address.")
    if parent.id != sponsor.id and not queries.is_in_downline(uow.session, sponsor.id, parent.id):
        raise NotYours("There is nothing here under this address.")
    if queries.placement_of(uow.session, parent.id) is None:
        raise Conflict("You are waiting for a place yourself. As soon as you have one, you can place people.")
    if queries.placement_of(uow.session, consultant.id) is not None:
        raise Conflict("This person has a place already.")
    if leg in queries.children_of(uow.session, parent.id):
        raise Conflict("Somebody has just taken this spot. Please choose another one.", field="leg")
    return _put(uow, consultant, parent_id=parent.id, leg=leg)


def place_waiting(
    uow: UnitOfWork, *, volumes: Volumes = unknown_volumes, limit: int = 100
) -> list[Placement]:
    """Place those whose sponsor chose none for seven days, and those whose sponsor has a place only now.

    At most `limit` people; call again until nothing comes back.
    """
    _lock_tree(uow)
    sponsor = aliased(Consultant)
    due = Consultant.joined_at <= uow.clock() - WAITING_AT_MOST
    above = Consultant.sponsor_id == Placement.consultant_id
    statement = (
        queries.waiting()
        .join(sponsor, sponsor.id == Consultant.sponsor_id)
        .join(Placement, above & Placement.valid_until.is_(None))
        .where(or_(due, sponsor.preference != "hand"))
        .limit(limit)
    )
    placed = [_place_late(uow, consultant, volumes) for consultant in uow.session.scalars(statement).all()]
    return [placement for placement in placed if placement]


def _place_late(uow: UnitOfWork, consultant: Consultant, volumes: Volumes) -> Placement | None:
    assert consultant.sponsor_id is not None
    sponsor = uow.session.get_one(Consultant, consultant.sponsor_id)
    wish = queries.leg_wish_of(uow.session, consultant.id)
    return _place_below(uow, consultant, sponsor=sponsor, leg_wish=wish, volumes=volumes)


def _place_below(
    uow: UnitOfWork, consultant: Consultant, *, sponsor: Consultant, leg_wish: str | None, volumes: Volumes
) -> Placement | None:
    _lock_tree(uow)
    if queries.placement_of(uow.session, sponsor.id) is None:
        return None
    leg = leg_wish or _SIDES.get(sponsor.preference) or _weaker_leg(uow, sponsor, volumes)
    parent_id = queries.outside_edge(uow.session, sponsor.id, leg)
    return _put(uow, consultant, parent_id=parent_id, leg=leg)


def _weaker_leg(uow: UnitOfWork, sponsor: Consultant, volumes: Volumes) -> str:
    left, right = volumes(sponsor.id) or (0, 0)
    if left != right:
        return "L" if left < right else "R"
    return queries.smaller_leg(uow.session, sponsor.id)


def _put(uow: UnitOfWork, consultant: Consultant, *, parent_id: int | None, leg: str | None) -> Placement:
    placement = Placement(
        consultant_id=consultant.id, parent_id=parent_id, leg=leg, valid_from=uow.clock(), valid_until=None
    )
    uow.session.add(placement)
    uow.session.flush()
    uow.publish(ConsultantPlaced(consultant_id=consultant.id))
    return placement


def _lock_tree(uow: UnitOfWork) -> None:
    """One spot is given out at a time: legs of different sponsors can end in the same one."""
    advisory(uow, "placement")
