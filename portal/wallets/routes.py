"""/earnings: the wallet, its weeks, and its history."""

from __future__ import annotations

from datetime import date, datetime

from flask import Response
from flask_babel import to_user_timezone

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions.queries import last_moment
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger import statements
from portal.payouts import queries as payouts
from portal.sales import held_queries
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request
from portal.wallets import queries, words
from portal.wallets.room import owner, wallets


@wallets.get("")
@requires(permissions.see_own_business)
def earnings() -> Response:
    """Balances, closed weeks, and the history by day."""
    session, who = db.session(), owner()
    owner_id = who.id
    chosen = request.args.get("show", "all")
    chosen = chosen if chosen in queries.SHOWN else "all"
    before = number(request.args, "before")
    page = queries.history_page(session, owner_id, show=chosen, before=before, day_of=_day)
    return show(
        "wallets/earnings.html",
        "history",
        balances=statements.balances(session, owner_id),
        due=payouts.next_release(session, owner_id),
        weeks=queries.closed_weeks(session, owner_id),
        withdrawals=payouts.own_withdrawals(session, owner_id),
        held=held_queries.own(session, who, now=utc_now()),
        missing=payouts.missing_for_payment(session, owner_id, now=utc_now()),
        page=page,
        chosen=chosen,
        before=before,
        last_moment=last_moment,
        words=words,
    )


@wallets.get("/weeks/<name>")
@requires(permissions.see_own_business)
def week(name: str) -> Response:
    """The statement of a closed week."""
    found = queries.statement(db.session(), owner().id, name)
    booked = queries.booked(db.session(), owner().id, found)
    return show(
        "wallets/week.html", "main", statement=found, booked=booked, last_moment=last_moment, words=words
    )


def _day(instant: datetime) -> date:
    local: datetime = to_user_timezone(instant)
    return local.date()
