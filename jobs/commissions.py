"""Cycles in the background: the projection, the end of a week, previews and closes that were asked for."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import current_app

from jobs import books
from portal.commissions import comparing, cycles, projection
from portal.commissions import undo as undoing
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.warm import WarmInputs
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import Conflict, DomainError
from portal.store import perform, progress

log = logging.getLogger(__name__)

# In a burst of sales one projection serves many, and the machine is left to the sales.
REST_SECONDS = 0.2


def recalculate() -> int:
    """Publish the projection until nothing more was asked for meanwhile; returns how often."""
    times = 0
    while times == 0 or projection.is_behind():
        started = time.monotonic()
        db.session.rollback()
        if not projection.recalculate(db.session(), now=utc_now(), warm=_warm_inputs()):
            break
        times += 1
        log.info("projection published in %d ms", (time.monotonic() - started) * 1000)
        time.sleep(REST_SECONDS)
    db.session.rollback()
    return times


def _warm_inputs() -> WarmInputs:
    """What this process keeps from one projection to the next; jobs of this queue never run two at once."""
    kept: WarmInputs = current_app.extensions.setdefault("warm_inputs", WarmInputs())
    return kept


def end_due_cycles() -> int:
    """End what is over; several when nobody looked for weeks."""
    ended = 0
    while perform(lambda uow: cycles.end_if_due(uow, zone=company_zone())) is not None:
        ended += 1
    return ended


def do_requested() -> None:
    """Do what admins asked for about cycles, until nothing more was asked meanwhile."""
    while wanted := db.session.execute(cycles.requests()).all():
        for cycle_id, what in wanted:
            try:
                DEEDS[what](cycle_id)
            except DomainError as refusal:
                log.warning("cycle %d: %s", cycle_id, refusal.message)
                perform(partial(cycles.note_refusal, cycle_id=cycle_id, reason=refusal.message))
            finally:
                progress.clear(f"cycle-{cycle_id}")
        db.session.rollback()


def preview(cycle_id: int) -> None:
    """Compute a cycle without booking anything."""
    perform(lambda uow: cycles.preview(uow, cycle_id=cycle_id))


def close(cycle_id: int) -> None:
    """Freeze, calculate, post: three commits; what was done before is not done again.

    The books are checked before and after.
    """
    if books.check():
        raise Conflict("The books are not in order, so nothing was closed. The page Books says why.")
    window = timedelta(minutes=current_app.config["SETTINGS"].undo_minutes)
    for step in CLOSE_STEPS:
        perform(partial(step, cycle_id=cycle_id, zone=company_zone(), window=window))
    books.check()


def undo(cycle_id: int) -> None:
    """Take back what a close booked; the books are checked after it."""
    perform(lambda uow: undoing.undo(uow, cycle_id=cycle_id))
    books.check()


def compare(cycle_id: int) -> None:
    """Compute a closed cycle once more from the facts of today."""
    perform(lambda uow: comparing.compare(uow, cycle_id=cycle_id))


DEEDS = {"undo": undo, "close": close, "preview": preview, "compare": compare}


def company_zone() -> ZoneInfo:
    """The time zone in which weeks begin."""
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)
