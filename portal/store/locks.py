"""Locks that live as long as the unit of work."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from sqlalchemy import select, text

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
