"""What is here about differences, read for one or for many in the same few questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from portal.extensions import Base
from portal.models import (
    Contract,
    ContractFact,
    Customer,
    Inbox,
    Service,
    Statement,
    StatementDifference,
    StatementLine,
)
from portal.store.contract_facts import is_withdrawn
from portal.store.inbox import vendor_source
from portal.store.pieces import pieces

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Known:
    """What is here about a difference: its line, its fact, and of the contract by that reference the customer
    and the service, None where there is none.

    `turn` counts the events that settling made for this contract, with the next; `told_again` says that what
    the line says was told in the same moment and taken back since; `event` is what settling it made.
    """

    difference: StatementDifference
    statement: Statement
    line: StatementLine | None
    fact: ContractFact | None
    customer_ref: str | None
    service_code: str | None
    turn: int = 1
    told_again: bool = False
    event: Inbox | None = None

    @property
    def is_not_done(self) -> bool:
        """Whether it was settled by an event that was given up."""
        return self.event is not None and self.event.state == "dead"

    @property
    def is_open(self) -> bool:
        """Whether it waits to be settled, again or for the first time."""
        return self.difference.settled_at is None or self.is_not_done


def known_of(session: Session, statement: Statement, difference: StatementDifference) -> Known:
    """What is here about a difference."""
    return known_of_all(session, statement, [difference])[0]


def known_of_all(
    session: Session, statement: Statement, differences: Sequence[StatementDifference]
) -> list[Known]:
    """What is here about differences of one statement, in their order."""
    refs = sorted({each.contract_ref for each in differences})
    lines = _by_id(session, StatementLine, [each.line_id for each in differences])
    facts = _by_id(session, ContractFact, [each.fact_id for each in differences])
    contracts = _contracts(session, statement.vendor_id, refs)
    turns = _turns(session, statement.vendor_id, refs)
    taken = _taken_back(session, [contract.id for contract in contracts.values()])
    events = _events(session, statement.vendor_id, [each.event_id for each in differences])
    known = []
    for each in differences:
        line, contract = lines.get(each.line_id or 0), contracts.get(each.contract_ref)
        said = line.customer_ref if line else None
        named = line.service_code if line else None
        known.append(
            Known(
                each,
                statement,
                line,
                facts.get(each.fact_id or 0),
                contract.customer_ref if contract else said,
                named or (contract.service_code if contract else None),
                turn=1 + turns[each.contract_ref],
                told_again=line is not None
                and contract is not None
                and (contract.id, line.type, line.occurred_at) in taken,
                event=events.get(each.event_id or ""),
            )
        )
    return known


def _by_id(session: Session, model: type[Row], ids: Iterable[int | None]) -> dict[int, Row]:
    column: Any = model.__table__.c.id
    rows = _all(session, [each for each in ids if each], lambda some: select(model).where(column.in_(some)))
    return {row[0].id: row[0] for row in rows}


def _contracts(session: Session, vendor_id: int, refs: Sequence[str]) -> dict[str, Any]:
    columns = (
        Contract.id,
        Contract.ref,
        Customer.ref.label("customer_ref"),
        Service.code.label("service_code"),
    )
    rows = (
        select(*columns)
        .join(Customer, Customer.id == Contract.customer_id)
        .join(Service, Service.id == Contract.service_id)
        .where(Contract.vendor_id == vendor_id)
    )
    return {row.ref: row for row in _all(session, refs, lambda some: rows.where(Contract.ref.in_(some)))}


def _turns(session: Session, vendor_id: int, refs: Sequence[str]) -> Counter[str]:
    """How many events settling made for each contract: later corrections come after earlier ones."""
    ref = StatementDifference.contract_ref
    made = (
        select(ref, func.count())
        .join(Statement, Statement.id == StatementDifference.statement_id)
        .where(Statement.vendor_id == vendor_id, StatementDifference.event_id.is_not(None))
        .group_by(ref)
    )
    found = _all(session, refs, lambda some: made.where(ref.in_(some)))
    return Counter({row[0]: row[1] for row in found})


def _taken_back(session: Session, contract_ids: Sequence[int]) -> set[tuple[int, str, datetime]]:
    """What was taken back of these contracts: contract, type and moment."""
    contract_id = ContractFact.contract_id
    gone = select(contract_id, ContractFact.type, ContractFact.occurred_at).where(is_withdrawn())
    found = _all(session, contract_ids, lambda some: gone.where(contract_id.in_(some)))
    return {(row[0], row[1], row[2]) for row in found}


def _events(session: Session, vendor_id: int, ids: Iterable[str | None]) -> dict[str, Inbox]:
    mine: ColumnElement[bool] = Inbox.source == vendor_source(vendor_id)
    named = [each for each in ids if each]
    rows = _all(session, named, lambda some: select(Inbox).where(mine, Inbox.event_id.in_(some)))
    return {row[0].event_id: row[0] for row in rows}


def _all(
    session: Session, values: Sequence[Any], ask: Callable[[Sequence[Any]], Select[*tuple[Any, ...]]]
) -> list[Any]:
    """The rows of a question that is asked for some of the values at a time."""
    return [row for some in pieces(values) for row in session.execute(ask(some)).unique()]
