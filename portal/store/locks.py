"""Locks that live as long as the unit of work, and the one order in which what earns is locked.

Whoever locks more than one of these takes them from the top; of one kind by id. So nobody waits for somebody
who waits for them:

1. the message in the inbox, the payment, the order;
2. customers, all that are needed;
3. their contracts, which nobody locks without the customer;
4. the own use of a consultant (`advisory`);
5. what is held of a contract;
6. the gate of the cycle, shared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import inspect, select, text

from portal.extensions import Base
from portal.kernel.errors import NotYours
from portal.store.unit_of_work import UnitOfWork

Row = TypeVar("Row", bound=Base)

_CYCLE_GATE = 7_001


def lock_row(uow: UnitOfWork, model: type[Row], row_id: int) -> Row:
    """The row, fresh and locked until the commit.

    Raises `NotYours` where there is none.
    """
    found = uow.session.get(model, row_id, with_for_update={"of": model}, populate_existing=True)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def lock_where(uow: UnitOfWork, model: type[Row], *conditions: object) -> Row | None:
    """The one row that meets the conditions, fresh and locked; None where there is none."""
    locked = select(model).where(*conditions).with_for_update(of=model)  # type: ignore[arg-type]
    statement = locked.execution_options(populate_existing=True)
    return uow.session.scalars(statement).unique().one_or_none()


def lock_all(uow: UnitOfWork, model: type[Row], *conditions: object) -> Sequence[Row]:
    """The rows that meet the conditions, fresh and locked in the order of their ids."""
    wanted = select(model).where(*conditions)  # type: ignore[arg-type]
    locked = wanted.order_by(inspect(model).primary_key[0]).with_for_update(of=model)
    return uow.session.scalars(locked.execution_options(populate_existing=True)).unique().all()


def share_cycle_gate(uow: UnitOfWork) -> None:
    """Many sales pass at the same time; none while a cycle ends."""
    if _on_postgresql(uow):
        uow.session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _CYCLE_GATE})


def close_cycle_gate(uow: UnitOfWork) -> None:
    """Wait for running sales to commit and hold new ones until this commit."""
    if _on_postgresql(uow):
        uow.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CYCLE_GATE})


def advisory(uow: UnitOfWork, name: str) -> None:
    """One unit of work at a time under this name."""
    if _on_postgresql(uow):
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
        uow.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _on_postgresql(uow: UnitOfWork) -> bool:
    return uow.session.get_bind().dialect.name == "postgresql"
