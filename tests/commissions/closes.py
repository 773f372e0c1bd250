"""Ending, approving and closing cycles in tests."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.extensions import db
from portal.models import Cycle
from portal.store import perform

ZONE = ZoneInfo("America/Denver")


def end(cast) -> int:
    """End the open cycle of the cast before its time."""
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True))
    return cast.cycle


def approve(cycle_id, *people):
    perform(partial(cycles.preview, cycle_id=cycle_id))
    run_id = db.session.get_one(Cycle, cycle_id).preview_run_id
    for person in people:
        perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=person))


def close(cycle_id, steps=CLOSE_STEPS, **more):
    for step in steps:
        perform(partial(step, cycle_id=cycle_id, zone=ZONE, **more))


def end_open() -> int:
    """End whatever cycle is open before its time; its id."""
    cycle_id = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True))
    return cycle_id
