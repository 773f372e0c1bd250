"""Taking a vendor's statement of one day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import NotRequired, TypedDict, Unpack

from sqlalchemy import select, update

from portal.kernel.errors import BadInput
from portal.kernel.facts import StatementReceived
from portal.kernel.ids import new_id
from portal.models import Statement, StatementLine
from portal.statements.lines import TYPES, Line
from portal.store import UnitOfWork
from portal.store.locks import advisory

MOST_LINES = 50_000


class Sent(TypedDict):
    """How a statement came: `source` is `api` or `csv`, `content` the bytes as they were sent."""

    source: str
    content: bytes
    received_by: NotRequired[int | None]
    file_name: NotRequired[str | None]


def receive_statement(
    uow: UnitOfWork, *, vendor_id: int, day: date, lines: Sequence[Line], **sent: Unpack[Sent]
) -> Statement:
    """Keep a vendor's statement of a day in the company's time zone; a job compares it with the events.

    The same content for the same day is the statement that is there already; another one replaces it.
    Raises `BadInput` for a day that has not begun, for too many lines and for a line of an unknown type.
    """
    advisory(uow, f"statement-{vendor_id}-{day}")
    _check(uow, day, lines)
    digest = hashlib.sha256(sent["content"]).hexdigest()
    of_day = (Statement.vendor_id == vendor_id, Statement.day == day)
    known = uow.session.scalars(select(Statement).where(*of_day, Statement.sha256 == digest)).one_or_none()
    if known is not None and known.replaced_at is None:
        return known
    others = update(Statement).where(*of_day, Statement.replaced_at.is_(None))
    uow.session.execute(others.values(replaced_at=uow.clock()))
    statement = known or _new(uow, vendor_id, day, lines, sent=sent)
    statement.replaced_at = statement.compared_at = None
    uow.session.flush()
    uow.publish(StatementReceived(statement_id=statement.id))
    actor_id = sent.get("received_by")
    uow.note("statement received", thing="vendor", thing_id=vendor_id, actor_id=actor_id, day=day.isoformat())
    return statement


def check_day(day: date, *, today: date) -> None:
    """Raises `BadInput` for a day that has not begun."""
    if day > today:
        raise BadInput("A statement is about a day that has begun.", field="day")


def _check(uow: UnitOfWork, day: date, lines: Sequence[Line]) -> None:
    # No time zone is more than 14 hours ahead of UTC; whoever knows the company's asks more closely.
    check_day(day, today=uow.clock().date() + timedelta(days=1))
    if len(lines) > MOST_LINES:
        raise BadInput(f"A statement has at most {MOST_LINES} lines.", field="lines")
    numbers = [line.line for line in lines]
    if len(set(numbers)) != len(numbers):
        raise BadInput("Each line needs a number of its own.", field="lines")
    for line in lines:
        if line.type not in TYPES:
            raise BadInput(f"Line {line.line}: the type must be one of {', '.join(TYPES)}.", field="lines")


def _new(uow: UnitOfWork, vendor_id: int, day: date, lines: Sequence[Line], *, sent: Sent) -> Statement:
    statement = Statement(
        public_id=new_id(),
        vendor_id=vendor_id,
        day=day,
        source=sent["source"],
        file_name=(sent.get("file_name") or "")[:200] or None,
        sha256=hashlib.sha256(sent["content"]).hexdigest(),
        content=sent["content"],
        received_by=sent.get("received_by"),
        received_at=uow.clock(),
    )
    uow.session.add(statement)
    uow.session.flush()
    uow.session.add_all(StatementLine(statement_id=statement.id, **asdict(line)) for line in lines)
    uow.session.flush()
    return statement
