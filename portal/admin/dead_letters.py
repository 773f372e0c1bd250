"""What was given up: read in groups by what it is and what is wrong, and put back into its queue.

Effects are keyed and reactions are marked done with them, so that trying again does no harm. Of a mail whose
answer was lost nobody knows whether it was sent: it is shown, and never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict, NotYours
from portal.models import Inbox, Message, Task, Vendor
from portal.store import UnitOfWork

MOST_GROUPS = 100
ROWS_A_PAGE = 50


@dataclass(frozen=True)
class Kind:
    """A kind of thing that can be given up: its table, the columns it is grouped by, when it came."""

    name: str
    model: type[Any]
    columns: tuple[Any, ...]
    at: Any
    dead: ColumnElement[bool]
    again: ColumnElement[bool]


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "event",
            Inbox,
            (Inbox.source, Inbox.kind, func.coalesce(Inbox.problem, "")),
            Inbox.received_at,
            Inbox.state == "dead",
            Inbox.state == "dead",
        ),
        Kind("task", Task, (Task.handler,), Task.next_at, Task.state == "dead", Task.state == "dead"),
        Kind(
            "mail",
            Message,
            (Message.template, Message.state),
            Message.created_at,
            Message.state.in_(("failed", "unknown")),
            Message.state == "failed",
        ),
    )
}


@dataclass(frozen=True)
class Group:
    """Things given up for one reason: `parts` are the values they share, `example` the newest of them."""

    parts: tuple[str, ...]
    number: int
    newest_at: datetime
    example: Any

    @property
    def key(self) -> str:
        """The group in an address."""
        return "|".join(self.parts)


def kind_of(name: str) -> Kind:
    """A kind by its name. Raises `NotYours`."""
    if name not in KINDS:
        raise NotYours("There is nothing of this kind.")
    return KINDS[name]


def counts(session: Session) -> dict[str, int]:
    """How many things of each kind were given up."""
    return {
        name: session.scalar(select(func.count()).select_from(kind.model).where(kind.dead)) or 0
        for name, kind in KINDS.items()
    }


def groups(session: Session, kind: Kind) -> list[Group]:
    """The groups of a kind, the largest first."""
    columns = [column.label(f"part_{place}") for place, column in enumerate(kind.columns)]
    rows = session.execute(
        select(*columns, func.count(), func.max(kind.at), func.max(kind.model.id))
        .where(kind.dead)
        .group_by(*columns)
        .order_by(func.count().desc(), *columns)
        .limit(MOST_GROUPS)
    ).all()
    wanted = [row[-1] for row in rows]
    examples = {one.id: one for one in session.scalars(select(kind.model).where(kind.model.id.in_(wanted)))}
    return [Group(tuple(str(part) for part in row[:-3]), row[-3], row[-2], examples[row[-1]]) for row in rows]


def things(session: Session, kind: Kind, key: str, *, before: int = 0) -> Sequence[Any]:
    """The things of one group, newest first; all of the kind without a key."""
    rows = select(kind.model).where(kind.dead, *_of(kind, key))
    if before:
        rows = rows.where(kind.model.id < before)
    return session.scalars(rows.order_by(kind.model.id.desc()).limit(ROWS_A_PAGE)).all()


def vendors_of(session: Session, rows: Sequence[Any]) -> dict[int, Vendor]:
    """The vendors that these events came from."""
    ids = {row.vendor_id for row in rows if getattr(row, "vendor_id", None) is not None}
    return {vendor.id: vendor for vendor in session.scalars(select(Vendor).where(Vendor.id.in_(ids)))}


def requeue(uow: UnitOfWork, *, kind: Kind, row_id: int, actor_id: int) -> None:
    """Put one thing back into its queue with all its tries.

    Raises `NotYours` where there is none, `Conflict` where it was put back already or must not be.
    """
    found = uow.session.get(kind.model, row_id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    if not _again(uow, kind, kind.model.id == row_id):
        raise Conflict("This is not given up any more, or may have been sent already.")
    uow.note("given-up.retry", thing=kind.name, thing_id=row_id, actor_id=actor_id)


def requeue_group(uow: UnitOfWork, *, kind: Kind, key: str, actor_id: int) -> int:
    """Put a whole group back into its queue; how many things."""
    number = _again(uow, kind, *_of(kind, key))
    uow.note(
        "given-up.retry", thing=kind.name, thing_id=None, actor_id=actor_id, number=number, group=key[:200]
    )
    return number


def _again(uow: UnitOfWork, kind: Kind, *conditions: ColumnElement[bool]) -> int:
    values = {"state": "queued" if kind.name == "mail" else "retry", "attempts": 0, "next_at": uow.clock()}
    statement = update(kind.model).where(kind.again, *conditions).values(**values)
    number = len(uow.session.scalars(statement.returning(kind.model.id)).all())
    uow.published = True
    return number


def _of(kind: Kind, key: str) -> list[ColumnElement[bool]]:
    parts = key.split("|") if key else []
    return [column == part for column, part in zip(kind.columns, parts, strict=False)]
