"""One request or one job is one transaction. Only this file commits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from portal.extensions import db
from portal.kernel import clock as kernel_clock
from portal.kernel.clock import Clock
from portal.kernel.facts import Fact
from portal.models import Audit, Outbox
from portal.store.engine import write_transactions
from portal.store.wake import wake

Result = TypeVar("Result")

_TRIES = 5
_BUSY_CODES = {"40001", "40P01", "55P03"}


@dataclass
class UnitOfWork:
    """The open transaction: its session, its clock, and what it will tell the rest of the house.

    Facts wait in `facts` and are written together, right before the commit.
    """

    session: Session
    clock: Clock
    published: bool = False
    facts: list[Outbox] = field(default_factory=list)

    def publish(self, fact: Fact, *, key: str | None = None) -> None:
        """Write the fact beside the data it speaks of; jobs read it after the commit.

        `key` makes a second publication of the same fact an `IntegrityError`.
        """
        self.facts.append(Outbox(name=fact.name, key=key, body=fact.body(), happened_at=self.clock()))
        self.published = True

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that leaves no trace where it fails, while the rest of the transaction stays."""
        told = len(self.facts)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self.facts[told:]
            raise

    def note(
        self, action: str, *, thing: str, thing_id: int | None, actor_id: int | None, **detail: Any
    ) -> None:
        """Write down who did what; details hold ids and numbers, never personal data."""
        self.session.add(
            Audit(
                at=self.clock(),
                actor_id=actor_id,
                action=action,
                thing=thing,
                thing_id=thing_id,
                detail=detail,
            )
        )


@contextmanager
def unit_of_work(clock: Clock = kernel_clock.utc_now) -> Iterator[UnitOfWork]:
    """Open the one transaction of a request or a job; commit at the end, or leave no trace."""
    session = db.session()
    if session.info.get("in_unit_of_work"):
        raise RuntimeError("a unit of work is open already; they are never nested")
    session.rollback()
    session.info["in_unit_of_work"] = True
    try:
        with write_transactions():
            work = UnitOfWork(session, clock)
            yield work
            session.add_all(work.facts)
            session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_unit_of_work"] = False
    if work.published:
        wake()


def perform(
    work: Callable[[UnitOfWork], Result], clock: Clock = kernel_clock.utc_now, *, tries: int = _TRIES
) -> Result:
    """Run `work` in a unit of work; again from its start where the database says that others were in the way.

    Lock time-outs and serialization failures are tried `tries` times, a broken unique constraint once more:
    two people at the same moment.
    """
    for attempt in range(1, tries + 1):
        try:
            with unit_of_work(clock) as uow:
                return work(uow)
        except IntegrityError:
            if attempt > 1:
                raise
        except OperationalError as error:
            if attempt == tries or not is_busy(error):
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)
    raise AssertionError("the loop returns or raises")


def is_busy(error: OperationalError) -> bool:
    """Whether others were in the way, so that the same work may well succeed at its next try."""
    code = getattr(error.orig, "sqlstate", None)
    return code in _BUSY_CODES or "database is locked" in str(error.orig)
