"""What the company asks a vendor about a difference, and what the vendor answers; it stays open meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.models import Statement, StatementDifference, StatementQuestion
from portal.statements.differences import ASKED
from portal.store import UnitOfWork
from portal.store.locks import lock_row
from portal.store.pieces import pieces
from portal.store.statement_days import is_open, open_ones

LONGEST_ANSWER = 500


def put_question(uow: UnitOfWork, difference: StatementDifference, *, text: str, actor_id: int) -> None:
    """Ask; a question that nobody has answered yet is asked in the new words."""
    asked = waiting_question(uow.session, difference)
    if asked is None:
        asked = StatementQuestion(difference_id=difference.id)
        uow.session.add(asked)
    asked.text, asked.asked_by, asked.asked_at = text, actor_id, uow.clock()


def waiting_question(session: Session, difference: StatementDifference) -> StatementQuestion | None:
    """The question about a difference that waits for its answer."""
    unanswered = StatementQuestion.difference_id == difference.id, StatementQuestion.answered_at.is_(None)
    return session.scalars(select(StatementQuestion).where(*unanswered)).one_or_none()


def answer(uow: UnitOfWork, *, difference_id: int, text: str, actor_id: int) -> None:
    """Write a vendor's answer beside the difference, which stays open.

    Raises `BadInput` for an answer that is empty or too long, `Conflict` where no question waits: it was
    answered, the difference settled, or the statement replaced.
    """
    difference = lock_row(uow, StatementDifference, difference_id)
    said = plain(text)
    if not said:
        raise BadInput("Please write an answer.", field="answer")
    if len(said) > LONGEST_ANSWER:
        raise BadInput(f"Please use at most {LONGEST_ANSWER} characters.", field="answer")
    asked = waiting_question(uow.session, difference)
    if asked is None or not _waits(uow.session, difference):
        raise Conflict("This question needs no answer any more.")
    asked.answer, asked.answered_by, asked.answered_at = said, actor_id, uow.clock()
    uow.note("question answered", thing="statement_difference", thing_id=difference.id, actor_id=actor_id)
    uow.session.flush()


def plain(text: str) -> str:
    """A text without blanks around it, with one kind of line end, and without what no database keeps."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def is_answered() -> ColumnElement[bool]:
    """Whether a difference of the query was asked about and the vendor has answered."""
    unanswered = select(StatementQuestion.difference_id).where(StatementQuestion.answered_at.is_(None))
    return (StatementDifference.choice == ASKED) & StatementDifference.id.not_in(unanswered)


def answered_by_vendor(session: Session) -> dict[int, int]:
    """How many open differences of each vendor wait for the company, the vendor having answered."""
    rows = open_ones(select(Statement.vendor_id, func.count())).where(is_answered())
    return {row[0]: row[1] for row in session.execute(rows.group_by(Statement.vendor_id))}


def to_answer(session: Session, vendor_id: int) -> Sequence[tuple[StatementDifference, StatementQuestion]]:
    """The questions that wait for an answer of the vendor, oldest first."""
    rows = _waiting(select(StatementDifference, StatementQuestion)).where(Statement.vendor_id == vendor_id)
    return [(row[0], row[1]) for row in session.execute(rows.order_by(StatementQuestion.asked_at))]


def questions_about(session: Session, ids: Iterable[int]) -> dict[int, list[StatementQuestion]]:
    """What was asked about differences, and answered, in its order."""
    found: dict[int, list[StatementQuestion]] = defaultdict(list)
    for some in pieces(list(ids)):
        rows = select(StatementQuestion).where(StatementQuestion.difference_id.in_(some))
        for each in session.scalars(rows.order_by(StatementQuestion.id)):
            found[each.difference_id].append(each)
    return found


def _waits(session: Session, difference: StatementDifference) -> bool:
    mine = _waiting(select(StatementDifference.id)).where(StatementDifference.id == difference.id)
    return session.scalar(mine) is not None


def _waiting(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        rows.select_from(StatementQuestion)
        .join(StatementDifference, StatementDifference.id == StatementQuestion.difference_id)
        .join(Statement, Statement.id == StatementDifference.statement_id)
        .where(
            StatementQuestion.answered_at.is_(None),
            StatementDifference.choice == ASKED,
            Statement.replaced_at.is_(None),
            is_open(),
        )
    )
