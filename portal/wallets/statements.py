"""/earnings/statement: every entry with running balances, on a page, on paper, as a file; and one entry."""

from __future__ import annotations

from flask import Response, make_response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger import entries, running
from portal.ledger.entries import Cause
from portal.payouts.statement_file import statement_file
from portal.ui import bookings, show
from portal.ui.htmx import request
from portal.ui.statements import read_form, statement_page
from portal.wallets.room import owner, wallets


@wallets.get("/statement")
@requires(permissions.see_own_business)
def statement() -> Response:
    """Every entry of the wallet, with filters."""
    page = statement_page(db.session(), owner().id, request.args)
    return show("wallets/statement.html", "statement", page=page, words=bookings, who=owner(), now=utc_now())


@wallets.get("/statement.csv")
@requires(permissions.see_own_business)
def statement_csv() -> AnyResponse:
    """The same as a file, oldest first."""
    form = read_form(request.args)
    lines = running.lines(db.session(), owner().id, form.span)
    response = make_response(statement_file(lines[::-1], name_of=lambda kind: str(bookings.entry(kind))))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="statement{form.period}.csv"'
    return response


@wallets.get("/entries/<int:entry_id>")
@requires(permissions.see_own_business)
def entry(entry_id: int) -> Response:
    """One entry of one's own: what moved from where to where, and why."""
    found = entries.opened(db.session(), entry_id, owner_id=owner().id)
    return show("wallets/entry.html", "main", opened=found, words=bookings, why=_url_of(found.cause))


def _url_of(cause: Cause | None) -> str:
    """Where the cause of an entry can be read, empty where it has no page of its own."""
    if cause is None:
        return ""
    if cause.kind == "week":
        return url_for("wallets.week", name=cause.name)
    return url_for("wallets.withdrawal", public_id=cause.name) if cause.kind == "withdrawal" else ""
