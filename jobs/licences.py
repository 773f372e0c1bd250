"""What follows from a licence that was verified, and reminders before one expires."""

from __future__ import annotations

from datetime import date
from typing import Any

from jobs.commissions import company_zone
from portal.compliance import reminders
from portal.kernel.clock import utc_now
from portal.messages.licences import say_licence_ends
from portal.models import Licence
from portal.sales import holds
from portal.store import UnitOfWork, perform

MOST_REMINDERS = 1_000


def release_held(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A licence was verified: what was held for want of it is sold in the open cycle."""
    licence = uow.session.get_one(Licence, body["licence_id"])
    holds.release_covered(uow, consultant_id=licence.consultant_id)


def remind() -> int:
    """Tell everybody whose licence comes to its end; how many were told."""
    today, told = utc_now().astimezone(company_zone()).date(), 0
    while told < MOST_REMINDERS and perform(lambda uow: _remind_next(uow, today)):
        told += 1
    return told


def _remind_next(uow: UnitOfWork, today: date) -> bool:
    """The mark that somebody was reminded and the mail stand in one transaction."""
    due = reminders.take_next(uow, today=today)
    if due is not None:
        say_licence_ends(uow, licence_id=due.licence_id, step=due.step, today=today)
    return due is not None
