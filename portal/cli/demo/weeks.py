"""The demo's past, week by week: sold, ended, previewed, approved twice, closed, released."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.rows import Known, hush, insert_week
from portal.cli.demo.sales import WeekOfSales
from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.plans.versions import SHIPPED, add_plan
from portal.kernel.clock import fixed
from portal.models import Cycle
from portal.payouts import releases
from portal.store import UnitOfWork, perform


@dataclass(frozen=True)
class Staff:
    """The users who keep the demo company: two admins and finance."""

    sam: int
    priya: int
    fin: int


def quietly(work: Callable[[UnitOfWork], Any], *, at: datetime) -> Any:
    """Do something at an instant of the past; nobody reacts to the facts of it."""

    def and_hush(uow: UnitOfWork) -> Any:
        result = work(uow)
        hush(uow)
        return result

    return perform(and_hush, clock=fixed(at))


def open_first_week(uow: UnitOfWork, calendar: Calendar) -> None:
    """The shipped pay plan and the first week."""
    add_plan(uow, SHIPPED, valid_from=calendar.start)
    cycles.open_first_cycle(uow, at=calendar.start, zone=calendar.zone)


def live_through(
    calendar: Calendar,
    weeks: Sequence[WeekOfSales],
    *,
    known: Known,
    staff: Staff,
    after_close: Callable[[int], None],
) -> None:
    """Every week in turn; `after_close(index)` comes when the week before it is worked out."""
    for index, sales in enumerate(weeks):
        is_open = index == len(weeks) - 1
        until = calendar.now if is_open else calendar.weeks[index].until
        cycle_id = quietly(partial(_sell, sales, known), at=until)
        if not is_open:
            quietly(partial(cycles.end_if_due, zone=calendar.zone), at=until)
        if index < calendar.closed:
            _close(calendar, index, cycle_id, staff)
            # Nothing is released before the time is over in which the close can be undone.
            _release(calendar, calendar.worked_out_at(index) + timedelta(hours=2))
            after_close(index)
    _release(calendar, calendar.now)


def _sell(sales: WeekOfSales, known: Known, uow: UnitOfWork) -> int:
    cycle_id = uow.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    insert_week(uow, sales, cycle_id=cycle_id, known=known)
    return cycle_id


def _close(calendar: Calendar, index: int, cycle_id: int, staff: Staff) -> None:
    at = calendar.worked_out_at(index)
    run_id = quietly(lambda uow: cycles.preview(uow, cycle_id=cycle_id).id, at=at)
    for actor_id in (staff.sam, staff.priya):
        at += timedelta(minutes=25)
        quietly(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=actor_id), at=at)
    quietly(partial(cycles.request_close, cycle_id=cycle_id, actor_id=staff.priya), at=at)
    for step in CLOSE_STEPS:
        quietly(partial(step, cycle_id=cycle_id, zone=calendar.zone), at=at)


def _release(calendar: Calendar, at: datetime) -> None:
    today = at.astimezone(calendar.zone).date()
    while quietly(partial(releases.release_due, today=today), at=at):
        pass
