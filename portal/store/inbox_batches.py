"""Many messages of one sender at once: one statement stores them, and each has a receipt of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from portal.models import Inbox
from portal.store.copying import new_ids
from portal.store.inbox import Arrival, Receipt, is_same_body, new_row
from portal.store.unit_of_work import UnitOfWork

_TABLE: Final[Any] = Inbox.__table__
_UNIQUE: Final = ["source", "event_id"]


def receive_all(uow: UnitOfWork, *, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Store messages of one source, or count one more delivery of those we have; a receipt for each.

    Rows and receipts are in the order given. What comes twice here under one id is stored once.
    """
    if not arrivals:
        return []
    first: dict[str, int] = {}
    for place, arrival in enumerate(arrivals):
        first.setdefault(arrival.event_id, place)
    stored = _insert(uow, [arrivals[place] for place in first.values()])
    new = {place for event_id, place in first.items() if event_id in stored}
    known = {place: arrival for place, arrival in enumerate(arrivals) if place not in new}
    same = _recognised(uow, known)
    same |= new
    return [Receipt(is_new=place in new, same_body=place in same) for place in range(len(arrivals))]


def _insert(uow: UnitOfWork, arrivals: Sequence[Arrival]) -> set[str]:
    """Insert what is not here yet; which ids were new.

    Rows are inserted in the order of their names whatever their numbers: two batches with the same ids wait
    for each other in one direction only.
    """
    ids = new_ids(uow.session, Inbox, len(arrivals)).tolist()
    now = uow.clock()
    rows = [{"id": id_, **new_row(arrival, now)} for id_, arrival in zip(ids, arrivals, strict=True)]
    rows.sort(key=lambda row: row["event_id"])
    sqlite = uow.session.get_bind().dialect.name == "sqlite"
    statement = _one_by_one() if sqlite else _as_columns(tuple(rows[0]))
    values: Any = rows if sqlite else {name: [row[name] for row in rows] for name in rows[0]}
    return set(uow.session.connection().execute(statement, values).scalars())


def _one_by_one() -> Any:
    """An insert with a set of values for each row."""
    return sqlite_insert(_TABLE).on_conflict_do_nothing(index_elements=_UNIQUE).returning(_TABLE.c.event_id)


@cache
def _as_columns(names: tuple[str, ...]) -> Any:
    """An insert whose values are an array for each column, however many rows."""
    columns = [_TABLE.c[name] for name in names]
    arrays = [bindparam(column.name, type_=ARRAY(column.type)) for column in columns]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    insert = postgresql_insert(_TABLE).from_select(names, select(rows))
    return insert.on_conflict_do_nothing(index_elements=_UNIQUE).returning(_TABLE.c.event_id)


def _recognised(uow: UnitOfWork, arrivals: Mapping[int, Arrival]) -> set[int]:
    """The places of those that we have with the same body; one more delivery of each is counted."""
    if not arrivals:
        return set()
    source = next(iter(arrivals.values())).source
    names = {arrival.event_id for arrival in arrivals.values()}
    wanted = select(Inbox).where(Inbox.source == source, Inbox.event_id.in_(names))
    locked = wanted.order_by(Inbox.event_id).with_for_update().execution_options(populate_existing=True)
    known = {row.event_id: row for row in uow.session.scalars(locked)}
    same = set()
    for place, arrival in arrivals.items():
        row = known[arrival.event_id]
        if is_same_body(row, arrival):
            row.deliveries += 1
            same.add(place)
    return same
