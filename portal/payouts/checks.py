"""Looking at the books: what was found last, and payouts stopped when they are not in order."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.extensions import redis
from portal.kernel.errors import Conflict
from portal.ledger.audit import Broken, broken_invariants, warnings
from portal.models import Entry
from portal.payouts.stops import stop
from portal.store.unit_of_work import UnitOfWork

CAUSE = "books"
FRESH = timedelta(minutes=1)
_LAST = "canopy:books:last"


@dataclass(frozen=True)
class Outcome:
    """One look at the books: when, what does not hold, and what a person should look at besides.

    `newest_entry` is the last one that was there before the look began, 0 for none.
    """

    at: datetime
    broken: tuple[Broken, ...]
    warnings: tuple[Broken, ...]
    newest_entry: int = 0


def look(session: Session, *, now: datetime) -> Outcome:
    """Ask every invariant, and remember what was found for the pages that show it."""
    newest = _newest_entry(session)
    found = Outcome(now, tuple(broken_invariants(session)), tuple(warnings(session, now=now)), newest)
    # Without Redis the pages show an older look; whether payouts are stopped stands in the database.
    with suppress(RedisError):
        redis.client.set(_LAST, json.dumps(asdict(found), default=str))
    return found


def last() -> Outcome | None:
    """The last look, by whatever process; None when Redis forgot it."""
    try:
        stored = redis.client.get(_LAST)
    except RedisError:
        return None
    if not stored:
        return None
    read = json.loads(stored)
    broken, late = (tuple(_broken(each) for each in read[name]) for name in ("broken", "warnings"))
    return Outcome(datetime.fromisoformat(read["at"]), broken, late, int(read.get("newest_entry", 0)))


def is_fresh(session: Session, *, now: datetime) -> bool:
    """Whether the last look was fine, is a minute old at most, and nothing was booked since."""
    known = last()
    if known is None or known.broken or not now - FRESH <= known.at <= now:
        return False
    return known.newest_entry == _newest_entry(session)


def stop_payouts(uow: UnitOfWork, *, outcome: Outcome) -> None:
    """Let no money leave while what was found is not looked into; nothing when all is in order."""
    if outcome.broken:
        first, more = outcome.broken[0], len(outcome.broken) - 1
        rest = f" And {more} more." if more else ""
        stop(uow, cause=CAUSE, detail=f"Not so: {first.invariant}. {'; '.join(first.rows)}{rest}")


def demand_order(session: Session) -> None:
    """Go on only with books that are in order; raises `Conflict` with the first invariant that is broken."""
    if broken := broken_invariants(session):
        raise Conflict(f"The books are not in order, so nothing was closed. Not so: {broken[0].invariant}.")


def _newest_entry(session: Session) -> int:
    return session.scalar(select(func.max(Entry.id))) or 0


def _broken(stored: dict[str, list[str] | str]) -> Broken:
    return Broken(str(stored["invariant"]), tuple(stored["rows"]))
