"""Settling many differences of one statement with the same choice.

What was chosen is written beside each difference; a job then settles one after the other, each written and
audited for itself as if it had been settled alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.models import Statement, StatementDifference
from portal.statements.known import Known, known_of_all
from portal.statements.questions import plain
from portal.statements.settling import KEEP, REVERSE, THEIRS, check_note, choices, leaves_ours, settle
from portal.store import UnitOfWork
from portal.store.locks import lock_row
from portal.store.pieces import pieces
from portal.store.statement_days import is_open

TOGETHER = (THEIRS, REVERSE, KEEP)
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Wanted:
    """What should become of which open differences of a statement, with a reason where one is needed.

    Those that are named, or with `kind` all of that kind. `until` is the newest that was there when somebody
    looked: what came later was not chosen.
    """

    choice: str = ""
    note: str = ""

    kind: str = ""
    public_ids: tuple[str, ...] = ()
    until: int | None = None


@dataclass(frozen=True)
class Look:
    """What one press would settle; `left` is how many of those chosen this choice cannot settle."""

    known: list[Known]
    left: int
    until: int


def look(session: Session, statement: Statement, wanted: Wanted) -> Look:
    """What would be settled. Raises `BadInput` where nothing is chosen, or what is kept has no reason."""
    if wanted.choice not in TOGETHER:
        raise BadInput("Please choose what should happen.", field="choice")
    found = session.scalars(_of(statement, wanted).order_by(StatementDifference.id)).all()
    if not found:
        raise BadInput("Please choose at least one difference that is open.", field="which")
    known = known_of_all(session, statement, found)
    fit = [each for each in known if wanted.choice in choices(each)]
    check_note(plain(wanted.note), needed=any(leaves_ours(each, wanted.choice) for each in fit))
    if not fit:
        raise BadInput("None of the chosen differences can be settled like this.", field="choice")
    return Look(fit, len(known) - len(fit), found[-1].id)


def ask(uow: UnitOfWork, *, statement_id: int, wanted: Wanted, actor_id: int) -> int:
    """Have many differences settled by a job; how many. Raises `BadInput`, `Conflict` as `settle` does."""
    statement = lock_row(uow, Statement, statement_id)
    if statement.replaced_at is not None:
        raise Conflict("A later statement of this day replaced the one this is about.")
    fit = look(uow.session, statement, wanted).known
    asked = update(StatementDifference).values(
        choice=wanted.choice,
        note=plain(wanted.note) or None,
        settled_by=actor_id,
        settled_at=None,
        event_id=None,
    )
    for some in pieces([each.difference.id for each in fit]):
        uow.session.execute(asked.where(StatementDifference.id.in_(some)))
    uow.note(
        "differences chosen",
        thing="statement",
        thing_id=statement.id,
        actor_id=actor_id,
        choice=wanted.choice,
        number=len(fit),
    )
    uow.published = True
    return len(fit)


def waiting() -> Select[int]:
    """Differences for which somebody chose what should happen and nothing was done yet."""
    asked = StatementDifference.settled_at.is_(None), StatementDifference.choice.in_(TOGETHER)
    return select(StatementDifference.id).where(*asked).order_by(StatementDifference.id)


def settle_waiting(uow: UnitOfWork) -> int:
    """Settle some of them; how many were looked at. One that cannot be settled any more is open again."""
    due = waiting().limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
    ids = uow.session.scalars(due).all()
    for difference_id in ids:
        _settle(uow, uow.session.get_one(StatementDifference, difference_id))
    return len(ids)


def _settle(uow: UnitOfWork, one: StatementDifference) -> None:
    choice, note, actor_id = one.choice or "", one.note or "", one.settled_by or 0
    try:
        with uow.session.begin_nested():
            settle(uow, difference_id=one.id, choice=choice, note=note, actor_id=actor_id)
    except DomainError as refusal:
        one.choice, one.note, one.settled_by = None, refusal.message, None
        uow.note(
            "difference not settled",
            thing="statement_difference",
            thing_id=one.id,
            actor_id=actor_id,
            choice=choice,
        )
        uow.session.flush()


def _of(statement: Statement, wanted: Wanted) -> Select[StatementDifference]:
    mine = select(StatementDifference).where(
        StatementDifference.statement_id == statement.id,
        is_open(),
        StatementDifference.id.not_in(waiting().order_by(None)),
    )
    if wanted.until is not None:
        mine = mine.where(StatementDifference.id <= wanted.until)
    if wanted.kind:
        return mine.where(StatementDifference.kind == wanted.kind)
    return mine.where(StatementDifference.public_id.in_(wanted.public_ids))
