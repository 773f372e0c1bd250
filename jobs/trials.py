"""Plans tried on past cycles: one cycle after the other, until all are done or somebody cancels."""

from __future__ import annotations

import logging
from functools import partial

from portal.commissions.plans import trials
from portal.engine import Refused
from portal.extensions import db
from portal.store import perform

log = logging.getLogger(__name__)


def drain() -> None:
    """Go on with every trial that was asked for."""
    for trial_id in trials.waiting(db.session()):
        try:
            go_on(trial_id)
        except (LookupError, Refused) as fault:
            log.warning("trial %d: %s", trial_id, fault)
            perform(partial(trials.fail, trial_id=trial_id, problem=str(fault)))


def go_on(trial_id: int) -> None:
    """Compute cycle by cycle; each is kept by itself, so that a kill costs one of them."""
    while perform(lambda uow: trials.begin(uow, trial_id=trial_id)):
        db.session.rollback()
        found = trials.compute_next(db.session(), trial_id=trial_id)
        if found is None:
            perform(lambda uow: trials.finish(uow, trial_id=trial_id))
            return
        perform(partial(trials.keep, trial_id=trial_id, cycle_id=found[0], tried=found[1]))
