"""Whether the books are in order: every invariant asked, and what a person should look at besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from portal.ledger.invariants import INVARIANTS, WARNINGS
from portal.models.guards import missing_guards
from portal.models.types import Instant

GUARDS = "the database guards the books"
_SHOWN = 5
_QUARTER, _WEEK = timedelta(minutes=15), timedelta(days=7)


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold, and the first rows that show it."""

    invariant: str
    rows: tuple[str, ...]


def broken_invariants(session: Session) -> list[Broken]:
    """Every invariant that does not hold; an empty list means the books are in order."""
    broken = []
    if missing := missing_guards(session.connection()):
        broken.append(Broken(GUARDS, tuple(missing)))
    with _whole_tables(session):
        return [*broken, *_found(session, INVARIANTS, {})]


def warnings(session: Session, *, now: datetime) -> list[Broken]:
    """What waits for too long. No money is in doubt by it, so it stops nothing."""
    return list(_found(session, WARNINGS, {"quarter": now - _QUARTER, "week": now - _WEEK}))


@contextmanager
def _whole_tables(session: Session) -> Iterator[None]:
    """Let PostgreSQL join whole tables: right after a close its statistics know nothing of the new rows."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_nestloop = DEFAULT"))


def _found(
    session: Session, questions: Mapping[str, str], instants: Mapping[str, datetime]
) -> Iterator[Broken]:
    for name, query in questions.items():
        used = {key: instant for key, instant in instants.items() if f":{key}" in query}
        statement = text(query).bindparams(*(bindparam(key, type_=Instant()) for key in used))
        rows = session.execute(statement, used).mappings().fetchmany(_SHOWN)
        if rows:
            shown = (", ".join(f"{key} {value}" for key, value in row.items()) for row in rows)
            yield Broken(name, tuple(shown))
