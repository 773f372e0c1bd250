"""A closed week for tests: what was sold in it, approved by two people, closed step by step."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.extensions import db
from portal.models import Cycle, Run
from portal.store import perform

ZONE = ZoneInfo("America/Denver")


def previewed(cycle_id: int) -> int:
    """End the open cycle before its time and preview it; the run."""
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
    return perform(lambda uow: cycles.preview(uow, cycle_id=cycle_id).id)


def closed(cycle_id: int, *people: int) -> int:
    """End, preview, let these people approve, and close; the run of the close. Inside an app context."""
    run_id = previewed(cycle_id)
    for person in people:
        perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=person))
    for step in CLOSE_STEPS:
        perform(partial(step, cycle_id=cycle_id, zone=ZONE))
    found = db.session.get_one(Cycle, cycle_id).close_run_id
    assert found is not None
    return found


def run_of(run_id: int) -> Run:
    """The run as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Run, run_id)
