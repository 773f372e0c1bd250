"""One entry of the books, and the statement of one consultant, for those who keep the company."""

from __future__ import annotations

from flask import Response, make_response, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import NotYours
from portal.ledger import entries, running
from portal.ledger.entries import Cause
from portal.models import Consultant, PayoutBatch, PayoutMethod, Withdrawal
from portal.payouts.payees.methods import AUTOMATIC_KINDS
from portal.payouts.statement_file import statement_file
from portal.ui import bookings as words
from portal.ui import show
from portal.ui.htmx import request
from portal.ui.statements import read_form, statement_page


@admin.get("/entries/<int:entry_id>")
@requires(permissions.see_company)
def entry(entry_id: int) -> Response:
    """One entry with all its postings, and what it came of."""
    found = entries.opened(db.session(), entry_id)
    return show("admin/entry.html", "main", opened=found, words=words, why=_url_of(found.cause))


@admin.get("/consultants/<public_id>/statement")
@requires(permissions.see_company)
def statement(public_id: str) -> Response:
    """Every entry of a consultant's wallet."""
    who = _consultant(public_id)
    page = statement_page(db.session(), who.id, request.args)
    return show(
        "admin/statement.html",
        "statement",
        page=page,
        words=words,
        who=who,
        now=utc_now(),
        may_adjust=may(permissions.manage_adjustments),
    )


@admin.get("/consultants/<public_id>/statement.csv")
@requires(permissions.see_company)
def statement_csv(public_id: str) -> AnyResponse:
    """The same as a file, oldest first."""
    who = _consultant(public_id)
    form = read_form(request.args)
    lines = running.lines(db.session(), who.id, form.span)
    response = make_response(statement_file(lines[::-1], name_of=lambda kind: str(words.entry(kind))))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"statement-{who.code}{form.period}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _consultant(public_id: str) -> Consultant:
    found = db.session.scalars(select(Consultant).where(Consultant.public_id == public_id)).unique()
    who = found.one_or_none()
    if who is None:
        raise NotYours("There is nothing here under this address.")
    return who


def _url_of(cause: Cause | None) -> str:
    """Where the cause of an entry can be read, empty where it has no page of its own."""
    if cause is None:
        return ""
    if cause.kind == "week":
        return url_for("admin.cycle", name=cause.name)
    pages = {
        "adjustment": ("admin.adjustment", permissions.manage_adjustments),
        "payment": ("admin.payment", permissions.see_payments),
    }
    if cause.kind == "withdrawal":
        return _withdrawal_url(cause.name) if may(permissions.manage_payouts) else ""
    endpoint, permission = pages[cause.kind]
    return url_for(endpoint, public_id=cause.name) if may(permission) else ""


def _withdrawal_url(public_id: str) -> str:
    """A withdrawal on its batch, on the page of its sending, or else in the queue of its state."""
    found, kind, batch = db.session.execute(
        select(Withdrawal, PayoutMethod.kind, PayoutBatch.public_id)
        .outerjoin(PayoutMethod, PayoutMethod.id == Withdrawal.method_id)
        .outerjoin(PayoutBatch, PayoutBatch.id == Withdrawal.batch_id)
        .where(Withdrawal.public_id == public_id)
    ).one()
    if found.batch_id is not None:
        return url_for("admin.batch", public_id=batch)
    if kind in AUTOMATIC_KINDS:
        return url_for("admin.sending_one", public_id=public_id)
    return url_for("admin.payouts", state=found.state)
