"""Many differences of one statement, settled by one press: chosen, looked at, and then done by a job."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms.fields.choices import SelectChoice

from portal.access import permissions
from portal.extensions import db
from portal.kernel.errors import Conflict, DomainError
from portal.models import Statement
from portal.sales.foreseen import Foreseen
from portal.statements import queries, several
from portal.statements.settling import KEEP
from portal.statements.several import Look, Wanted
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request
from portal.vendors import portal_statement_forms as words
from portal.vendors.portal_foreseen import foreseen
from portal.vendors.portal_room import Place, on_both
from portal.vendors.portal_statement_forms import SeveralForm

PATH = "/statements/<statement_id>/several"


@on_both(PATH, needs=None, company=permissions.settle_statements)
def several_differences(place: Place, statement_id: str) -> AnyResponse:
    """The open differences of a statement, to choose from."""
    found = queries.statement_of(db.session(), place.vendor.id, statement_id)
    if found.replaced_at is not None:
        return redirect(place.url("statement", statement_id=statement_id), 303)
    return _choose(place, found, SeveralForm(formdata=None, which=words.NAMED))


@on_both(PATH, needs=None, company=permissions.settle_statements, post=True)
def settle_several(place: Place, statement_id: str) -> AnyResponse:
    """Show what would be settled; the press after that has it done."""
    found = queries.statement_of(db.session(), place.vendor.id, statement_id)
    form = _offer(SeveralForm(), queries.day_of(db.session(), found))
    if not form.validate_on_submit():
        return _choose(place, found, form, status=422)
    wanted, actor_id, row_id = _wanted(form), current_user.id, found.id
    try:
        if "sure" not in request.form:
            return _check(place, found, form, several.look(db.session(), found, wanted))
        number = perform(lambda uow: several.ask(uow, statement_id=row_id, wanted=wanted, actor_id=actor_id))
    except Conflict as refusal:
        flash(refusal.message, "error")
        return redirect(place.url("statement", statement_id=statement_id), 303)
    except DomainError as refusal:
        form.refuse(refusal)
        return _choose(place, found, form, status=refusal.status)
    said = ngettext("%(num)s difference is being settled.", "%(num)s differences are being settled.", number)
    flash(said, "ok")
    return redirect(place.url("statement", statement_id=statement_id), 303)


def _wanted(form: SeveralForm) -> Wanted:
    which, until = form.which.data, form.until.data or ""
    return Wanted(
        choice=form.choice.data,
        note=form.note.data or "",
        kind="" if which == words.NAMED else which,
        public_ids=tuple(form.chosen.data or ())[: queries.MOST_SHOWN],
        until=int(until) if until.isdecimal() else None,
    )


def _choose(place: Place, found: Statement, form: SeveralForm, *, status: int = 200) -> Response:
    session = db.session()
    day = queries.day_of(session, found)
    form.until.data = ""
    waiting = queries.differences(session, found, still_open=True)
    return show(
        "vendors/portal/several.html",
        "choose",
        status=status,
        form=_offer(form, day),
        waiting=[each for each in waiting if not each.is_asked_for],
        **_shared(place, found),
    )


def _check(place: Place, found: Statement, form: SeveralForm, look: Look) -> Response:
    form.until.data = str(look.until)
    return show(
        "vendors/portal/several_check.html",
        "choose",
        form=form,
        look=look,
        moved=_moved(place, form, look),
        **_shared(place, found),
    )


def _offer(form: SeveralForm, day: queries.Day) -> SeveralForm:
    numbers = {"missing": day.missing, "extra": day.extra, "different": day.different}
    all_of = [
        SelectChoice(value=kind, label=str(words.ALL_OF[kind]) % {"number": number})
        for kind, number in numbers.items()
        if number
    ]
    form.which.choices = [SelectChoice(value=words.NAMED, label=words.THOSE_NAMED), *all_of]
    return form


def _moved(place: Place, form: SeveralForm, look: Look) -> Foreseen | None:
    """What the choice would add to sales, or take back; None where it books nothing."""
    if form.choice.data == KEEP:
        return None
    return foreseen(place, look.known)


def _shared(place: Place, found: Statement) -> dict[str, Any]:
    return {"place": place, "vendor": place.vendor, "words": words, "statement": found}
