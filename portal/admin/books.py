"""/admin/books: every account down to its postings, whether the books are in order, stops, and months."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger import company, months
from portal.ledger.invariants import INVARIANTS
from portal.payouts import checks, stops
from portal.store import perform
from portal.ui import bookings as words
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 40
MOST_MONTHS = 24


@admin.get("/books")
@requires(permissions.see_company)
def books() -> Response:
    """The trial balance, the last check, stops, and months."""
    session = db.session()
    standing = company.trial_balance(session)
    return show(
        "admin/books.html",
        "main",
        standing=standing,
        totals=(sum(line.debit for line in standing), sum(line.credit for line in standing)),
        last=checks.last(),
        number=len(INVARIANTS) + 1,
        stops=stops.standing(session),
        months=months.months(session)[:MOST_MONTHS],
        closable=months.next_to_close(session, today=utc_now().date()),
        may_act=may(permissions.manage_payouts),
        words=words,
    )


@admin.get("/books/<owner_type>/<purpose>")
@requires(permissions.see_company)
def account(owner_type: str, purpose: str) -> Response:
    """The postings behind one line of the trial balance, newest first, by month."""
    session = db.session()
    month, before = number(request.args, "month"), number(request.args, "before")
    line = (owner_type, purpose)
    rows = company.bookings(session, line, month=month, before=before, limit=ROWS_A_PAGE + 1)
    standing = [each for each in company.trial_balance(session) if (each.owner_type, each.purpose) == line]
    return show(
        "admin/account.html",
        "main",
        standing=standing[0],
        rows=rows[:ROWS_A_PAGE],
        older=rows[ROWS_A_PAGE - 1].posting_id if len(rows) > ROWS_A_PAGE else None,
        months=[each.period for each in months.months(session)],
        month=month,
        before=before,
        words=words,
    )


@admin.post("/books/check")
@requires(permissions.see_company)
def check_books() -> AnyResponse:
    """Ask every invariant now."""
    outcome = checks.look(db.session(), now=utc_now())
    if outcome.broken:
        perform(lambda uow: checks.stop_payouts(uow, outcome=outcome))
        flash(_("The books are not in order. Payouts are stopped."), "bad")
    else:
        flash(_("The books are in order."), "ok")
    return redirect(url_for("admin.books"), 303)


@admin.post("/books/stops/<int:stop_id>/lift")
@requires(permissions.manage_payouts)
@require_recent_password()
def lift_stop(stop_id: int) -> AnyResponse:
    """Let money leave again, with a reason."""
    actor_id, reason = current_user.id, request.form.get("reason", "")
    return decide(
        lambda uow: stops.lift(uow, stop_id=stop_id, actor_id=actor_id, reason=reason),
        said=_("The stop is lifted."),
        url=url_for("admin.books"),
    )


@admin.get("/books/months/<int:period_id>/close")
@requires(permissions.manage_payouts)
@require_recent_password()
def check_month(period_id: int) -> AnyResponse:
    """What closing the month means, and the button that does it."""
    session = db.session()
    closable = months.next_to_close(session, today=utc_now().date())
    if closable is None or closable.id != period_id:
        flash(_("This month cannot be closed now."), "bad")
        return redirect(url_for("admin.books"), 303)
    (month,) = months.months(session, period_id=period_id)
    return show("admin/close_month.html", "main", month=month)


@admin.post("/books/months/<int:period_id>/close")
@requires(permissions.manage_payouts)
@require_recent_password()
def close_month(period_id: int) -> AnyResponse:
    """Close a month that is over, for good."""
    actor_id = current_user.id
    return decide(
        lambda uow: months.close_month(uow, period_id=period_id, actor_id=actor_id),
        said=_("The month is closed. What becomes known later is booked in the open one."),
        url=url_for("admin.books"),
    )
