"""The books are checked by the clock; what is broken calls somebody."""

from __future__ import annotations

import logging

from portal.extensions import db
from portal.ledger.audit import broken_invariants

log = logging.getLogger(__name__)


def check() -> int:
    """Look at every invariant of the books; how many are broken."""
    broken = broken_invariants(db.session())
    db.session.rollback()
    for one in broken:
        log.error("the books are not in order: %s: %s", one.invariant, "; ".join(one.rows))
    return len(broken)
