"""What came in takes effect here: one message, one transaction, in the order of arrival.

A message that cannot take effect waits and is tried again; the ones behind it go on.
"""

from __future__ import annotations

import logging
import re

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs.effects import effect_of
from jobs.retries import MOST_TRIES, next_try
from portal.gateways.vendor_events import BadEvent
from portal.kernel.clock import Clock, utc_now
from portal.kernel.errors import Conflict, DomainError, NothingToDo
from portal.models import Inbox
from portal.store import UnitOfWork, is_busy, perform

MOST_ROWS = 500
# What is wrong lies with us, and no sender can mend it.
OUR_FAULT = "error"

log = logging.getLogger(__name__)


def drain(clock: Clock = utc_now, most: int = MOST_ROWS) -> int:
    """Let due messages take effect, at most `most`; returns how many were handled."""
    handled = 0
    while handled < most and perform(handle_next, clock):
        handled += 1
    return handled


def handle_next(uow: UnitOfWork) -> bool:
    """Handle the oldest due message that nobody else is handling; False when there is none."""
    due = select(Inbox).where(Inbox.state.in_(("new", "retry")), Inbox.next_at <= uow.clock())
    row = uow.session.scalars(due.order_by(Inbox.id).limit(1).with_for_update(skip_locked=True)).first()
    if row is None:
        return False
    row.attempts += 1
    _settle(uow, row)
    return True


def _settle(uow: UnitOfWork, row: Inbox) -> None:
    """The effect and what became of the message, in the same transaction."""
    try:
        with uow.session.begin_nested():
            outcome = effect_of(row)(uow, row)
    except NothingToDo as reason:
        _finish(uow, row, state="ignored", reason=reason.message, outcome=reason.message)
    except Conflict as refusal:
        _finish(uow, row, state="dead", reason=refusal.message, outcome=refusal.message)
        row.problem = _rule(refusal)
    except DomainError as refusal:
        _try_later(uow, row, reason=refusal.message, problem=_rule(refusal))
    except BadEvent as unreadable:
        # It was taken in by an earlier schema, or by another clock.
        _try_later(uow, row, reason=str(unreadable), problem=unreadable.faults[0].partition(":")[0])
    except Exception as bug:
        if isinstance(bug, OperationalError) and is_busy(bug):
            # Others were in the way: the unit of work begins again, and the message with it.
            raise
        log.exception("inbox %s (%s) failed", row.id, row.kind)
        _try_later(uow, row, reason=f"{type(bug).__name__}: {bug}", problem=OUR_FAULT)
    else:
        _finish(uow, row, state="done", reason=None, outcome=outcome)


def _finish(uow: UnitOfWork, row: Inbox, *, state: str, reason: str | None, outcome: str | None) -> None:
    row.state, row.last_error, row.done_at = state, _short(reason, 1_000), uow.clock()
    row.problem, row.outcome = None, _short(outcome, 300)


def _try_later(uow: UnitOfWork, row: Inbox, *, reason: str, problem: str) -> None:
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
