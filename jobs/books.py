"""The books are checked by the clock, around each close and before money leaves; a fault stops payouts."""

from __future__ import annotations

import logging
from time import monotonic

from jobs.schedule import DUTIES
from portal.extensions import db, redis
from portal.kernel.clock import utc_now
from portal.payouts import checks
from portal.store import perform

_SHARE = 10
LONG_SECONDS = DUTIES["books"] / _SHARE
_RESTS = "canopy:books:rests"

log = logging.getLogger(__name__)


def check() -> int:
    """Look at every invariant of the books; how many are broken. Then no money leaves.

    The other work of the queue goes first: a look that took long is followed by a rest.
    """
    return 0 if redis.client.exists(_RESTS) else _look()


def check_before_money_leaves() -> int:
    """Look right before a run of payouts, unless nothing was booked since a look that was fine.

    How many invariants are broken. Then the run finds payouts stopped.
    """
    fresh = checks.is_fresh(db.session(), now=utc_now())
    db.session.rollback()
    return 0 if fresh else _look()


def _look() -> int:
    begun = monotonic()
    outcome = checks.look(db.session(), now=utc_now())
    db.session.rollback()
    for late in outcome.warnings:
        log.warning("%s: %s", late.invariant, "; ".join(late.rows))
    for broken in outcome.broken:
        log.error("the books are not in order: %s: %s", broken.invariant, "; ".join(broken.rows))
    if outcome.broken:
        perform(lambda uow: checks.stop_payouts(uow, outcome=outcome))
    _rest_after(monotonic() - begun)
    return len(outcome.broken)


def _rest_after(seconds: float) -> None:
    if seconds > LONG_SECONDS:
        redis.client.set(_RESTS, 1, ex=int(seconds * (_SHARE - 1)))
