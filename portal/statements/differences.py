"""The differences of a statement, written down: new ones open, those that went away by themselves marked."""

from __future__ import annotations

import json
from datetime import date
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.ids import new_id
from portal.models import Contract, ContractFact, Statement, StatementDifference, StatementLine
from portal.statements.comparing import Found, compare
from portal.statements.gathering import RevenueOf, facts_of_day, facts_of_other_days, lines_of
from portal.store import UnitOfWork
from portal.store.locks import lock_row
from portal.store.statement_days import bounds, is_open

BY_ITSELF = "by_itself"
ASKED = "ask"

_Same: TypeAlias = tuple[str, str, str, int | None, str]


def compare_statement(uow: UnitOfWork, *, statement_id: int, zone: ZoneInfo, revenue_of: RevenueOf) -> int:
    """Hold a statement against the events of its day; how many differences are open.

    What was settled for this day before, of this statement or one it replaced, stays settled while it says
    the same. What was open and is no difference any more is marked as gone by itself. A replaced statement
    is left alone.
    """
    statement = lock_row(uow, Statement, statement_id)
    if statement.replaced_at is not None:
        return 0
    lines = lines_of(uow.session, statement_id)
    found = compare(
        lines,
        facts_of_day(uow.session, statement, zone=zone, revenue_of=revenue_of),
        day=statement.day,
        elsewhere=facts_of_other_days(uow.session, statement, lines, zone=zone, revenue_of=revenue_of),
    )
    statement.compared_at = uow.clock()
    return _write(uow, statement, found)


def due_again(session: Session, *, zone: ZoneInfo, statement: Statement) -> bool:
    """Whether an event about the day of a compared statement was worked in after it was compared."""
    if statement.compared_at is None:
        return True
    begins, ends = bounds(statement.day, zone)
    newer = (
        select(ContractFact.id)
        .join(Contract, Contract.id == ContractFact.contract_id)
        .where(
            Contract.vendor_id == statement.vendor_id,
            ContractFact.occurred_at >= begins,
            ContractFact.occurred_at < ends,
            ContractFact.recorded_at >= statement.compared_at,
        )
    )
    return session.scalar(newer.limit(1)) is not None


def standing(session: Session, *, since: date) -> list[Statement]:
    """Statements that no later one replaced, of days from `since` on."""
    rows = select(Statement).where(Statement.replaced_at.is_(None), Statement.day >= since)
    return list(session.scalars(rows.order_by(Statement.id)))


def _write(uow: UnitOfWork, statement: Statement, found: list[Found]) -> int:
    line_ids = _line_ids(uow.session, statement.id)
    earlier, waiting = _earlier(uow.session, statement), _open_of_day(uow.session, statement)
    settled = {_same(each) for each in earlier if each.id not in waiting and each.choice != BY_ITSELF}
    still_open = {
        _same(each): each for each in earlier if each.id in waiting and each.statement_id == statement.id
    }
    open_now = 0
    for each in found:
        new = StatementDifference(
            public_id=new_id(),
            statement_id=statement.id,
            line_id=line_ids.get(each.line) if each.line is not None else None,
            fact_id=each.fact_id,
            kind=each.kind,
            contract_ref=each.contract_ref,
            type=each.type,
            fields=dict(each.fields),
        )
        same = _same(new)
        if same in settled:
            continue
        open_now += 1
        if still_open.pop(same, None) is None:
            uow.session.add(new)
    for gone in still_open.values():
        gone.choice, gone.settled_by, gone.settled_at = BY_ITSELF, None, uow.clock()
    uow.session.flush()
    return open_now


def _earlier(session: Session, statement: Statement) -> list[StatementDifference]:
    """All differences written for this vendor and day, of whichever statement."""
    of_day = Statement.vendor_id == statement.vendor_id, Statement.day == statement.day
    rows = select(StatementDifference).join(Statement, Statement.id == StatementDifference.statement_id)
    return list(session.scalars(rows.where(*of_day).order_by(StatementDifference.id)))


def _open_of_day(session: Session, statement: Statement) -> set[int]:
    """Those of them that are open, with those whose settling was not done."""
    of_day = Statement.vendor_id == statement.vendor_id, Statement.day == statement.day
    rows = select(StatementDifference.id).join(Statement, Statement.id == StatementDifference.statement_id)
    return set(session.scalars(rows.where(*of_day, is_open())))


def _same(difference: StatementDifference) -> _Same:
    """What makes two differences one: the same said about the same."""
    fields = json.dumps(difference.fields, sort_keys=True)
    fact_id = difference.fact_id if difference.kind == "extra" else None
    return difference.kind, difference.contract_ref, difference.type, fact_id, fields


def _line_ids(session: Session, statement_id: int) -> dict[int, int]:
    rows = select(StatementLine.line, StatementLine.id).where(StatementLine.statement_id == statement_id)
    return {row.line: row.id for row in session.execute(rows)}
