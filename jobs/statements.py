"""Vendors' statements are held against their events: when they come, and again when later events came."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from jobs.commissions import company_zone
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import TermsVersion
from portal.sales.worth import worth
from portal.statements import several
from portal.statements.differences import compare_statement, due_again, standing
from portal.store import UnitOfWork, perform

LOOKED_AT = timedelta(days=35)


def compare_received(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A statement came: what differs from the events of its day is written down."""
    compare_statement(uow, statement_id=int(body["statement_id"]), zone=company_zone(), revenue_of=revenue_of)


def compare_again() -> None:
    """Statements whose day got events after they were compared are compared once more."""
    zone, session = company_zone(), db.session()
    days = standing(session, since=utc_now().astimezone(zone).date() - LOOKED_AT)
    due = [each.id for each in days if due_again(session, zone=zone, statement=each)]
    for statement_id in due:
        perform(partial(compare_statement, statement_id=statement_id, zone=zone, revenue_of=revenue_of))


def settle_chosen() -> None:
    """Settle what somebody chose many of at once, some in each transaction."""
    while perform(several.settle_waiting):
        pass


def revenue_of(terms: TermsVersion, milestone: str, size_thousandths: int) -> int | None:
    """What the terms make of a milestone, cents; None where they pay nothing at it."""
    value = worth(terms, size_thousandths=size_thousandths, milestone=milestone)
    return None if value is None else value.revenue
