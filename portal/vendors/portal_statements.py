"""Statements of days: sent as a file, shown with what differs from the events, settled by the company."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, flash, make_response, redirect
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms.fields.choices import SelectChoice

from portal.access import permissions
from portal.access.guard import may
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.models import Statement, StatementDifference
from portal.statements import queries, settling
from portal.statements.events import event_of
from portal.statements.known import known_of
from portal.store import perform
from portal.store.statement_days import silent_days
from portal.ui import show
from portal.vendors import portal_statement_forms as words
from portal.vendors.portal_foreseen import tells_the_size
from portal.vendors.portal_room import Place, company_zone, on_both
from portal.vendors.portal_statement_forms import AnswerForm, SettleForm, UploadForm
from portal.vendors.room import today


@on_both("/statements", company=permissions.settle_statements)
def statements(place: Place) -> Response:
    """Every day of which a statement came, and the days of which none did."""
    return statements_page(place, UploadForm(formdata=None, day=today() - timedelta(days=1)))


def statements_page(place: Place, form: UploadForm, *, status: int = 200) -> Response:
    """The list of days, with the form that sends a file."""
    session = db.session()
    return show(
        "vendors/portal/statements.html",
        "main",
        status=status,
        form=form,
        days=queries.days(session, place.vendor.id),
        silent=silent_days(session, zone=company_zone(), today=today(), vendor_id=place.vendor.id),
        may_send=place.may(permissions.send_statements),
        **_shared(place),
    )


@on_both("/statements/<statement_id>", company=permissions.settle_statements)
def statement(place: Place, statement_id: str) -> Response:
    """One statement: what differs, what was settled and how; a tick asks again."""
    found = queries.statement_of(db.session(), place.vendor.id, statement_id)
    return _page(place, found)


@on_both("/statements/<statement_id>/file", company=permissions.settle_statements)
def statement_file(place: Place, statement_id: str) -> Response:
    """The bytes of a statement as they were sent."""
    found = queries.statement_of(db.session(), place.vendor.id, statement_id)
    response = make_response(found.content)
    ending = "csv" if found.source == "csv" else "json"
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{found.day}.{ending}"'
    return response


@on_both(
    "/statements/differences/<difference_id>",
    company=permissions.settle_statements,
)
def difference(place: Place, difference_id: str) -> Response:
    """One difference: what the company may choose, and what the vendor is asked."""
    form = SettleForm(formdata=None) if place.company else AnswerForm(formdata=None)
    return difference_page(place, difference_id, form)


@on_both(
    "/statements/differences/<difference_id>",
    needs=None,
    company=permissions.settle_statements,
    post=True,
)
def settle_difference(place: Place, difference_id: str) -> AnyResponse:
    """Do what was chosen."""
    form, actor_id = SettleForm(), current_user.id
    found = queries.difference_of(db.session(), place.vendor.id, difference_id)
    about = _statement_of(found)
    row_id, back = found.id, about.public_id
    if not form.validate_on_submit():
        return difference_page(place, difference_id, form, status=422)
    choice, note = form.choice.data, form.note.data or ""
    try:
        if choice == settling.REVERSE and tells_the_size(place, known_of(db.session(), about, found)):
            raise BadInput("Without this event nobody knows the size of the contract.", field="choice")
        perform(
            lambda uow: settling.settle(
                uow, difference_id=row_id, choice=choice, note=note, actor_id=actor_id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return difference_page(place, difference_id, form, status=refusal.status)
    said = _("The question is noted; it stays open.") if choice == settling.ASK else _("Settled.")
    flash(said, "ok")
    return redirect(place.url("statement", statement_id=back), 303)


def _page(place: Place, found: Statement, **context: Any) -> Response:
    session = db.session()
    shown = queries.differences(session, found, still_open=True)
    return show(
        "vendors/portal/statement.html",
        "live",
        day=queries.day_of(session, found),
        statement=found,
        waiting=shown,
        settled=queries.differences(session, found, still_open=False),
        others=queries.replaced(session, found),
        may_settle=_may_settle(place) and found.replaced_at is None,
        may_answer=_may_answer(place) and found.replaced_at is None,
        most=queries.MOST_SHOWN,
        **context,
        **_shared(place),
    )


def difference_page(
    place: Place, public_id: str, form: SettleForm | AnswerForm, *, status: int = 200
) -> Response:
    """A difference with the form of whoever looks at it."""
    session = db.session()
    found = queries.difference_of(session, place.vendor.id, public_id)
    about = _statement_of(found)
    known = known_of(session, about, found)
    needed = place.company and known.is_open and tells_the_size(place, known)
    if isinstance(form, SettleForm):
        offered = settling.choices(known) if known.is_open else ()
        form.choice.choices = [
            SelectChoice(value=name, label=words.CHOICES[name])
            for name in offered
            if name != settling.REVERSE or not needed
        ]
    shown = queries.shown(session, [known])[0]
    return show(
        "vendors/portal/difference.html",
        "card",
        status=status,
        known=known,
        shown=shown,
        statement=about,
        form=form,
        event=event_of(known),
        needed=needed,
        may_settle=_may_settle(place) and about.replaced_at is None and known.is_open,
        may_answer=_may_answer(place) and about.replaced_at is None and shown.is_asked,
        waiting=queries.stuck_event(session, about.vendor_id, found),
        **_shared(place),
    )


def _may_settle(place: Place) -> bool:
    return place.company and may(permissions.settle_statements)


def _may_answer(place: Place) -> bool:
    return not place.company and may(permissions.send_statements)


def _statement_of(found: StatementDifference) -> Statement:
    return db.session.get_one(Statement, found.statement_id)


def _shared(place: Place) -> dict[str, Any]:
    return {"place": place, "vendor": place.vendor, "words": words}
