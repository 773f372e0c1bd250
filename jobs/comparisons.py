"""Another system's lines put beside ours: each comparison in a transaction of its own."""

from __future__ import annotations

import logging
from functools import partial

from portal.arrival.comparing import service, working
from portal.engine import Refused
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import Comparison
from portal.store import perform, progress

log = logging.getLogger(__name__)


def drain() -> None:
    """Make every comparison that was asked for, until nobody asked for another meanwhile."""
    while (comparison_id := db.session.scalar(service.waiting().limit(1))) is not None:
        subject = working.subject(db.session.get_one(Comparison, comparison_id))
        db.session.rollback()
        try:
            perform(partial(working.work, comparison_id=comparison_id))
        except (DomainError, Refused) as fault:
            log.warning("comparison %d: %s", comparison_id, fault)
            perform(partial(working.fail, comparison_id=comparison_id, problem=str(fault)))
        finally:
            progress.clear(subject)
