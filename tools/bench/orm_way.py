"""The work of a close with an object for each row, as applications commonly do it: the control of the bench.

Read: every consultant, place and sale. Written: lines, carry, entries, postings and holds. All of it is
rolled back. The engine is the same, so only the ways of reading and writing are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import select, text

from portal.commissions.kept import kept
from portal.engine import calculate
from portal.extensions import db
from portal.models import Carry, CommissionLine, Consultant, Entry, Placement, Posting, Release, Run, Sale

Timed = Callable[[Callable[[], object]], dict[str, float]]
Rows = list[dict[str, Any]]


def measure(run_id: int, timed: Timed) -> dict[str, Any]:
    """How long reading, computing and writing take with objects, for the rows of this run."""
    session = db.session()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    rows = [_rows(model, where) for model, where in _written(run_id).items()]
    run = session.get_one(Run, run_id)
    other = Run(cycle_id=run.cycle_id, purpose="preview", plan_version_id=1, inputs=b"", input_hash="")
    other.frozen_at = run.frozen_at
    session.add(other)
    session.flush()
    found: dict[str, Any] = {
        "read": timed(partial(_read, run.cycle_id)),
        "compute": timed(lambda: calculate(kept(run).inputs)),
        "write": timed(partial(_write, other.id, *rows)),
    }
    session.rollback()
    found["all"] = {name: sum(part[name] for part in found.values()) for name in found["read"]}
    return found


def _read(cycle_id: int) -> int:
    session = db.session()
    people = session.scalars(select(Consultant)).unique().all()
    places = session.scalars(select(Placement)).all()
    sales = session.scalars(select(Sale).where(Sale.cycle_id == cycle_id)).unique().all()
    return len(people) + len(places) + len(sales)


def _written(run_id: int) -> dict[Any, Any]:
    """The tables that a close writes, each with what of it belongs to a run."""
    entries = select(Entry.id).where(Entry.cause_type == "run", Entry.cause_id == run_id)
    return {
        CommissionLine: CommissionLine.run_id == run_id,
        Carry: Carry.run_id == run_id,
        Entry: Entry.id.in_(entries),
        Posting: Posting.entry_id.in_(entries),
        Release: Release.entry_id.in_(entries),
    }


def _rows(model: Any, where: Any) -> Rows:
    names = {attribute.columns[0].name: attribute.key for attribute in model.__mapper__.column_attrs}
    found = db.session.execute(select(model.__table__).where(where)).mappings()
    return [{names[column]: value for column, value in row.items()} for row in found]


def _write(run_id: int, *tables: Rows) -> None:
    lines, carries, entries, postings, holds = tables
    session = db.session()
    for model, rows in ((CommissionLine, lines), (Carry, carries)):
        session.add_all(model(**_but(row, "id")) for row in _with(rows, run_id=run_id))
        session.flush()
    made = {row["id"]: Entry(**_but(row, "id") | {"key": f"again-{row['key']}"}) for row in entries}
    session.add_all(made.values())
    session.flush()
    for child, rows in ((Posting, postings), (Release, holds)):
        session.add_all(child(**_but(row, "id") | {"entry_id": made[row["entry_id"]].id}) for row in rows)
        session.flush()


def _with(rows: Rows, **more: Any) -> Rows:
    return [row | more for row in rows]


def _but(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
