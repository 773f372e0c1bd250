"""Reads of what a vendor sent: bounded, newest first, and never another vendor's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, load_only

from portal.kernel.errors import NotYours
from portal.models import Inbox

STATES = ("new", "retry", "done", "ignored", "dead")
WAITING = ("new", "retry")
GROUPS_SHOWN = 50


@dataclass(frozen=True)
class Wanted:
    """Which deliveries: empty fields ask for all; instants are aware, `until` is not part of it."""

    state: str = ""
    kind: str = ""
    ref: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Trouble:
    """Events of one type that one thing keeps from taking effect."""

    problem: str
    kind: str
    state: str
    number: int
    newest_at: datetime
    example: Inbox


def deliveries(
    session: Session, vendor_id: int, wanted: Wanted, *, before: int = 0, limit: int = 50
) -> Sequence[Inbox]:
    """Events of a vendor, newest first, without their bodies; `before` is the id the page begins below."""
    columns = (
        Inbox.event_id,
        Inbox.kind,
        Inbox.object_ref,
        Inbox.state,
        Inbox.attempts,
        Inbox.deliveries,
        Inbox.received_at,
        Inbox.next_at,
        Inbox.last_error,
        Inbox.problem,
        Inbox.outcome,
        Inbox.found_by,
    )
    rows = select(Inbox).where(Inbox.vendor_id == vendor_id, *_of(wanted)).options(load_only(*columns))
    if before:
        rows = rows.where(Inbox.id < before)
    return session.scalars(rows.order_by(Inbox.id.desc()).limit(limit)).all()


def delivery(session: Session, vendor_id: int, inbox_id: int) -> Inbox:
    """One event with its body. Raises `NotYours`."""
    found = session.scalars(
        select(Inbox).where(Inbox.id == inbox_id, Inbox.vendor_id == vendor_id)
    ).one_or_none()
    if found is None:
        raise NotYours("There is no such event.")
    return found


def counts_since(session: Session, vendor_id: int, since: datetime) -> dict[str, int]:
    """How many of the events that came since an instant are in each state."""
    of_vendor = Inbox.vendor_id == vendor_id, Inbox.received_at >= since
    rows = session.execute(select(Inbox.state, func.count()).where(*of_vendor).group_by(Inbox.state))
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def stuck(session: Session, vendor_id: int) -> dict[str, int]:
    """How many events of a vendor were given up, and how many are tried again, whenever they came."""
    of_vendor = Inbox.vendor_id == vendor_id, Inbox.state.in_(("dead", "retry"))
    rows = session.execute(select(Inbox.state, func.count()).where(*of_vendor).group_by(Inbox.state))
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in ("dead", "retry")}


def troubles(session: Session, vendor_id: int) -> list[Trouble]:
    """What keeps events from taking effect, grouped by field or rule and by type, the most frequent first."""
    problem = func.coalesce(Inbox.problem, "")
    grouped = (
        select(
            problem.label("problem"),
            Inbox.kind,
            Inbox.state,
            func.count().label("number"),
            func.max(Inbox.received_at).label("newest_at"),
            func.max(Inbox.id).label("newest_id"),
        )
        .where(Inbox.vendor_id == vendor_id, Inbox.state.in_(("dead", "retry")))
        .group_by(problem, Inbox.kind, Inbox.state)
        .order_by(func.count().desc(), Inbox.kind, Inbox.state)
        .limit(GROUPS_SHOWN)
    )
    rows = session.execute(grouped).all()
    wanted = [row.newest_id for row in rows]
    examples = {row.id: row for row in session.scalars(select(Inbox).where(Inbox.id.in_(wanted)))}
    return [
        Trouble(row.problem, row.kind, row.state, row.number, row.newest_at, examples[row.newest_id])
        for row in rows
    ]


def _of(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state in STATES:
        conditions.append(Inbox.state == wanted.state)
    elif wanted.state == "waiting":
        conditions.append(Inbox.state.in_(WAITING))
    if wanted.kind:
        conditions.append(Inbox.kind == wanted.kind)
    if wanted.ref:
        conditions.append((Inbox.object_ref == wanted.ref) | (Inbox.event_id == wanted.ref))
    if wanted.since is not None:
        conditions.append(Inbox.received_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Inbox.received_at < wanted.until)
    return conditions
