"""The books are checked by the clock and around each close; what is broken stops payouts and is logged."""

from __future__ import annotations

import logging

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.payouts import checks
from portal.store import perform

log = logging.getLogger(__name__)


def check() -> int:
    """Look at every invariant of the books; how many are broken. Then no money leaves."""
    outcome = checks.look(db.session(), now=utc_now())
    db.session.rollback()
    for late in outcome.warnings:
        log.warning("%s: %s", late.invariant, "; ".join(late.rows))
    for broken in outcome.broken:
        log.error("the books are not in order: %s: %s", broken.invariant, "; ".join(broken.rows))
    if outcome.broken:
        perform(lambda uow: checks.stop_payouts(uow, outcome=outcome))
    return len(outcome.broken)
