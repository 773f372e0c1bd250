"""What came in takes effect here: one message, one transaction.

A message that cannot take effect leaves no trace but that it was tried. It is tried again, and the ones
behind it go on. Senders take turns, so that nobody waits for the end of what another sent; the messages of
one sender take effect in the order of arrival.
"""

from __future__ import annotations

import logging
import random
import re
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, select

from jobs.effects import effect_of
from jobs.retries import MOST_TRIES, next_try
from portal.gateways.vendor_events import BadEvent
from portal.kernel.clock import Clock, utc_now
from portal.kernel.errors import Conflict, DomainError, NothingToDo
from portal.models import Inbox
from portal.models.traffic import DUE_SOME_DAY
from portal.store import UnitOfWork, perform
from portal.store.inbox import vendor_source
from portal.store.locks import lock_where

MOST_ROWS = 500
# How many messages of one sender take effect before another's turn comes.
IN_A_ROW = 10
# Who is still in the way then may stay for long: others go on meanwhile.
TRIES_AT_ONCE = 2
# What is wrong lies with us, and no sender can mend it.
OUR_FAULT = "error"

log = logging.getLogger(__name__)


@dataclass
class Turn:
    """Whose turn it is: senders follow each other by name, round and round.

    `in_hand` is the number of the message that was taken last, and how often it was tried before.
    """

    source: str = ""
    handled: int = 0
    in_hand: tuple[int, int] | None = None

    def take(self, uow: UnitOfWork) -> Inbox | None:
        """The next due message that nobody else is handling, locked; None where there is none."""
        self.in_hand = None
        is_over = self.handled >= IN_A_ROW
        behind = Inbox.source > self.source if is_over else Inbox.source >= self.source
        row = _first_due(uow, behind) or _first_due(uow)
        if row is not None:
            self.handled = 1 if is_over or row.source != self.source else self.handled + 1
            self.source, self.in_hand = row.source, (row.id, row.attempts)
        return row


def drain(clock: Clock = utc_now, most: int = MOST_ROWS) -> int:
    """Let due messages take effect, at most `most`; returns how many were handled."""
    # Where there are more senders than turns, no name is always the last one.
    turn, handled = Turn(vendor_source(random.randrange(100))), 0
    while handled < most and (done := _handle_next(turn, clock)) is not None:
        handled += done
    return handled


def _handle_next(turn: Turn, clock: Clock) -> int | None:
    """Handle one message: 1, or 0 where another worker did meanwhile; None when none is due."""
    try:
        return perform(partial(_take_and_settle, turn=turn), clock, tries=TRIES_AT_ONCE)
    except Exception as failure:
        if turn.in_hand is None:
            raise
        return perform(partial(_note, tried=turn.in_hand, failure=failure), clock)


def _take_and_settle(uow: UnitOfWork, *, turn: Turn) -> int | None:
    row = turn.take(uow)
    if row is None:
        return None
    _settle(uow, row)
    return 1


def _settle(uow: UnitOfWork, row: Inbox) -> None:
    """The effect and what became of the message, in the same transaction."""
    outcome = effect_of(row)(uow, row)
    _finish(uow, row, state="done", reason=None, outcome=outcome)


def _note(uow: UnitOfWork, *, tried: tuple[int, int], failure: Exception) -> int:
    """Write down why a message had no effect: its own transaction left no trace.

    0 where another worker took it between the two: then that one says what came of it.
    """
    row = lock_where(uow, Inbox, Inbox.id == tried[0], Inbox.attempts == tried[1], DUE_SOME_DAY)
    if row is None:
        return 0
    _explain(uow, row, failure)
    return 1


def _explain(uow: UnitOfWork, row: Inbox, failure: Exception) -> None:
    if isinstance(failure, NothingToDo):
        _finish(uow, row, state="ignored", reason=failure.message, outcome=failure.message)
    elif isinstance(failure, Conflict):
        _finish(uow, row, state="dead", reason=failure.message, outcome=failure.message)
        row.problem = _rule(failure)
    elif isinstance(failure, DomainError):
        _try_later(uow, row, reason=failure.message, problem=_rule(failure))
    elif isinstance(failure, BadEvent):
        # It was taken in by an earlier schema, or by another clock.
        _try_later(uow, row, reason=str(failure), problem=failure.faults[0].partition(":")[0])
    else:
        log.error("inbox %s (%s) failed", row.id, row.kind, exc_info=failure)
        _try_later(uow, row, reason=f"{type(failure).__name__}: {failure}", problem=OUR_FAULT)


def _first_due(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> Inbox | None:
    due = select(Inbox).where(DUE_SOME_DAY, Inbox.next_at <= uow.clock(), *conditions)
    first = due.order_by(Inbox.source, Inbox.next_at, Inbox.id).limit(1)
    return uow.session.scalars(first.with_for_update(skip_locked=True)).first()


def _finish(uow: UnitOfWork, row: Inbox, *, state: str, reason: str | None, outcome: str | None) -> None:
    row.attempts += 1
    row.state, row.last_error, row.done_at = state, _short(reason, 1_000), uow.clock()
    row.problem, row.outcome = None, _short(outcome, 300)


def _try_later(uow: UnitOfWork, row: Inbox, *, reason: str, problem: str) -> None:
    row.attempts += 1
    row.last_error, row.problem = _short(reason, 1_000), problem[:64]
    row.outcome = None
    row.state = "dead" if row.attempts >= MOST_TRIES else "retry"
    row.next_at = next_try(uow.clock(), attempts=row.attempts)
    if row.state == "dead":
        log.error("inbox %s (%s) was given up", row.id, row.kind)


def _rule(refusal: DomainError) -> str:
    """The field that keeps a message from its effect, else the rule."""
    return (refusal.field or re.sub(r"(?<!^)(?=[A-Z])", "_", type(refusal).__name__).lower())[:64]


def _short(reason: str | None, most: int) -> str | None:
    return None if reason is None else reason[:most]
