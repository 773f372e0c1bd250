"""Moves in the tree: proposed by one person, decided by another, carried out when the next cycle begins.

Whoever is moved takes everybody below along: only their own placement ends and begins. The cycle that ends
is computed with the tree as it was, the next one with the tree as it is then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.kernel.facts import ConsultantPlaced
from portal.kernel.ids import new_id
from portal.members import queries
from portal.members.placement import LEGS
from portal.models import AccountUser, Consultant, Person, Placement, PlacementMove
from portal.store import UnitOfWork
from portal.store.locks import advisory, lock_row

SHORTEST_REASON, LONGEST_REASON = 10, 500
WAITING = ("proposed", "approved")


@dataclass(frozen=True)
class Wish:
    """Who is to stand under whom, on which leg (`L`, `R`), and why."""

    consultant_id: int
    parent_id: int
    leg: str
    reason: str


def propose(uow: UnitOfWork, wish: Wish, *, actor_id: int) -> PlacementMove:
    """Propose a move; nothing happens before somebody else agrees.

    Raises `BadInput` for a spot that cannot be and for a reason that says too little, `Conflict` for one that
    is taken and for somebody who waits for a move already, `DomainError` for one's own place.
    """
    reason = wish.reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise BadInput("Please give a reason of at least ten letters.", field="reason")
    _refuse_own(uow, wish.consultant_id, actor_id)
    _lock_tree(uow)
    _check_spot(uow.session, wish.consultant_id, wish.parent_id, wish.leg)
    if _waits(uow.session, wish.consultant_id):
        raise Conflict("This person waits for a move already.")
    made = PlacementMove(
        public_id=new_id(),
        consultant_id=wish.consultant_id,
        parent_id=wish.parent_id,
        leg=wish.leg,
        reason=reason,
        state="proposed",
        proposed_by=actor_id,
        proposed_at=uow.clock(),
    )
    uow.session.add(made)
    uow.session.flush()
    uow.note("move.propose", thing="move", thing_id=made.id, actor_id=actor_id, **_spot(made))
    return made


def approve(uow: UnitOfWork, *, move_id: int, actor_id: int) -> PlacementMove:
    """Agree to somebody else's proposal; it is carried out when the next cycle begins.

    Raises `Conflict` once it is decided or when the spot is no longer possible, `DomainError` for the one who
    proposed it and for whom it moves.
    """
    found = _to_decide(uow, move_id, actor_id)
    _lock_tree(uow)
    _check_spot(uow.session, found.consultant_id, found.parent_id, found.leg)
    _decide(uow, found, "approved", actor_id=actor_id)
    return found


def reject(uow: UnitOfWork, *, move_id: int, actor_id: int, decision: str) -> PlacementMove:
    """Say no to somebody else's proposal, and why. Raises `BadInput` without a reason, else as `approve`."""
    decision = decision.strip()
    if not decision or len(decision) > LONGEST_REASON:
        raise BadInput("Please say why not.", field="decision")
    found = _to_decide(uow, move_id, actor_id)
    found.decision = decision
    _decide(uow, found, "rejected", actor_id=actor_id)
    return found


def carry_out(uow: UnitOfWork, at: datetime) -> None:
    """Do every approved move at the moment in which a cycle begins, oldest approval first.

    One whose spot is no longer possible is refused with the reason; it never keeps a cycle from beginning.
    """
    approved = select(PlacementMove.id).where(PlacementMove.state == "approved")
    waiting = uow.session.scalars(approved.order_by(PlacementMove.decided_at, PlacementMove.id)).all()
    if waiting:
        _lock_tree(uow)
    for move_id in waiting:
        _carry_out_one(uow, lock_row(uow, PlacementMove, move_id), at)


def listed(session: Session, *states: str, limit: int = 50) -> Sequence[PlacementMove]:
    """Moves in these states, newest first."""
    wanted = select(PlacementMove).where(PlacementMove.state.in_(states))
    return session.scalars(wanted.order_by(PlacementMove.id.desc()).limit(limit)).all()


def people_of(session: Session, found: PlacementMove) -> tuple[str, str]:
    """The names of who proposed and who decided; the second is empty while nobody did."""
    rows = session.execute(
        select(AccountUser.id, Person.name)
        .join(Person, Person.id == AccountUser.person_id)
        .where(AccountUser.id.in_([found.proposed_by, found.decided_by or 0]))
    )
    names = {int(user_id): name for user_id, name in rows}
    return names[found.proposed_by], names.get(found.decided_by or 0, "")


def _carry_out_one(uow: UnitOfWork, found: PlacementMove, at: datetime) -> None:
    try:
        stands = _check_spot(uow.session, found.consultant_id, found.parent_id, found.leg)
    except DomainError as refusal:
        found.state, found.problem, found.done_at = "refused", refusal.message, at
        uow.session.flush()
        uow.note("move.refused", thing="move", thing_id=found.id, actor_id=None)
        return
    stands.valid_until = at
    uow.session.flush()
    uow.session.add(
        Placement(
            consultant_id=found.consultant_id,
            parent_id=found.parent_id,
            leg=found.leg,
            valid_from=at,
            valid_until=None,
        )
    )
    found.state, found.done_at = "done", at
    uow.session.flush()
    uow.note("move.done", thing="move", thing_id=found.id, actor_id=None, **_spot(found))
    uow.publish(ConsultantPlaced(consultant_id=found.consultant_id))


def _check_spot(session: Session, consultant_id: int, parent_id: int, leg: str) -> Placement:
    """Whether somebody can go there with everybody below; gives where they stand."""
    if leg not in LEGS:
        raise BadInput("Please choose left or right.", field="leg")
    stands = queries.placement_of(session, consultant_id)
    if stands is None:
        raise Conflict("This person has no place yet; their sponsor gives them one.")
    if queries.placement_of(session, parent_id) is None:
        raise Conflict("Whoever is to stand above has no place in the tree.", field="parent")
    if parent_id == consultant_id or queries.is_in_downline(session, consultant_id, parent_id):
        raise BadInput("Nobody can stand below themselves: this spot is in their own team.", field="parent")
    if leg in queries.children_of(session, parent_id):
        raise Conflict("Somebody stands on this spot. Please choose another one.", field="leg")
    return stands


def _waits(session: Session, consultant_id: int) -> bool:
    waiting = (PlacementMove.consultant_id == consultant_id, PlacementMove.state.in_(WAITING))
    return session.scalar(select(PlacementMove.id).where(*waiting)) is not None


def _to_decide(uow: UnitOfWork, move_id: int, actor_id: int) -> PlacementMove:
    found = lock_row(uow, PlacementMove, move_id)
    if found.state != "proposed":
        raise Conflict("This move is decided already.")
    if found.proposed_by == actor_id:
        raise DomainError("Somebody else has to decide on what you proposed.")
    _refuse_own(uow, found.consultant_id, actor_id)
    return found


def _refuse_own(uow: UnitOfWork, consultant_id: int, actor_id: int) -> None:
    user = uow.session.get_one(AccountUser, actor_id)
    if uow.session.get_one(Consultant, consultant_id).person_id == user.person_id:
        raise DomainError("Somebody else has to decide on your own place.")


def _decide(uow: UnitOfWork, found: PlacementMove, state: str, *, actor_id: int) -> None:
    found.state, found.decided_by, found.decided_at = state, actor_id, uow.clock()
    uow.session.flush()
    uow.note(f"move.{state}", thing="move", thing_id=found.id, actor_id=actor_id)


def _spot(found: PlacementMove) -> dict[str, int | str]:
    return {"consultant": found.consultant_id, "parent": found.parent_id, "leg": found.leg}


def _lock_tree(uow: UnitOfWork) -> None:
    advisory(uow, "placement")
