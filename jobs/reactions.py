"""Reactions to facts: each done once, in one transaction with the mark that it is done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs.retries import MOST_TRIES, next_try
from portal.models import Outbox, Task
from portal.store import UnitOfWork, is_busy, perform

log = logging.getLogger(__name__)

MOST_TASKS = 500


def drain_money() -> int:
    """React to what is due on the queue for money."""
    return _drain("money")


def drain_mail() -> int:
    """React to what is due on the queue for mail."""
    return _drain("mail")


def _drain(queue: str) -> int:
    handled = 0
    while handled < MOST_TASKS and perform(lambda uow: _react_to_next(uow, queue)):
        handled += 1
    return handled


def _react_to_next(uow: UnitOfWork, queue: str) -> bool:
    due = (
        select(Task)
        .where(Task.queue == queue, Task.state.in_(("new", "retry")), Task.next_at <= uow.clock())
        .order_by(Task.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    task = uow.session.scalar(due)
    if task is None:
        return False
    fact = uow.session.get_one(Outbox, task.outbox_id)
    task.attempts += 1
    try:
        with uow.attempt():
            _handler(task.handler)(uow, fact.body)
    except Exception as bug:
        if isinstance(bug, OperationalError) and is_busy(bug):
            raise
        # A bug in one reaction must not hold up the others.
        _try_again(uow, task, bug)
    else:
        task.state, task.done_at, task.last_error = "done", uow.clock(), None
    return True


def _try_again(uow: UnitOfWork, task: Task, bug: Exception) -> None:
    log.exception("task %s (%s) failed", task.id, task.handler, exc_info=bug)
    task.state = "dead" if task.attempts >= MOST_TRIES else "retry"
    task.next_at = next_try(uow.clock(), attempts=task.attempts)
    task.last_error = f"{type(bug).__name__}: {bug}"[:1000]


def _handler(name: str) -> Callable[[UnitOfWork, dict[str, object]], object]:
    module, _, function = name.rpartition(".")
    handler: Callable[[UnitOfWork, dict[str, object]], object] = getattr(import_module(module), function)
    return handler
