"""/licences: what a consultant may sell where, from when until when; and the card of it on their home."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.compliance import documents, licences
from portal.compliance import licence_queries as queries
from portal.compliance.licence_queries import Own
from portal.desk.access import me
from portal.desk.licences_form import LicenceForm, form_for
from portal.desk.room import desk
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.kernel.us import STATES
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request
from portal.ui.licences import STANDINGS, handed_out, kind_words
from portal.ui.panels import Panel, register_panel

# More than a file may have, so that a photo as it comes from a phone is refused at its field.
MOST_BYTES = 5 * documents.LARGEST_BYTES + 1024 * 1024
TELLING = frozenset({"ending", "expired", "rejected"})


@desk.url_value_preprocessor
def take_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let the file of a licence be larger than what other forms may send; this is asked before all else."""
    if endpoint == "desk.send_licence":
        request.max_content_length = MOST_BYTES


@desk.get("/licences")
@requires(permissions.work_leads)
def own_licences() -> Response:
    """Own licences, and what needs one."""
    session, consultant, day = db.session(), me(), today()
    held = queries.held_for_licences(session, consultant.id)
    rows = queries.own_licences(session, consultant.id, held, today=day)
    return show(
        "desk/licences.html",
        "live",
        rows=rows,
        needs=queries.needs(session, day),
        covered=queries.covered(session, consultant.id, today=day),
        missing=_missing(held, rows),
        standings=STANDINGS,
        states=STATES,
        kind_words=kind_words,
        masked=queries.masked,
    )


@desk.get("/licences/new")
@requires(permissions.work_leads)
def new_licence() -> Response:
    """The form; `renews` names a licence that it goes on from."""
    renews = request.args.get("renews", "")
    return _page(form_for(queries.own_licence(db.session(), me().id, renews) if renews else None))


@desk.post("/licences")
@requires(permissions.work_leads)
def send_licence() -> AnyResponse:
    """Send a licence in."""
    form = LicenceForm().offer()
    if not form.validate_on_submit():
        form.ask_again()
        return _page(form, status=422)
    consultant_id, actor_id = me().id, current_user.id
    try:
        wish, document = form.wish(), form.read()
        perform(
            lambda uow: (
                licences.submit(uow, wish, document, consultant_id=consultant_id, actor_id=actor_id).id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        form.ask_again()
        return _page(form, status=refusal.status)
    flash(_("Sent in. It counts once somebody looked at it."), "ok")
    return redirect(url_for("desk.own_licences"), 303)


@desk.get("/licences/<public_id>/document")
@requires(permissions.work_leads)
def licence_document(public_id: str) -> Response:
    """The file of an own licence."""
    licence = queries.own_licence(db.session(), me().id, public_id)
    found = queries.document_of(db.session(), licence.id)
    return handed_out(licence, found, ending=documents.ending_of(found.media_type))


def today() -> date:
    """The day it is in the company's time zone."""
    return utc_now().astimezone(get_timezone()).date()


def load_card(consultant_id: int) -> list[Own] | None:
    """A consultant's licences that need a hand; None where there is nothing to do."""
    rows = queries.own_licences(db.session(), consultant_id, {}, today=today())
    return [row for row in rows if row.standing in TELLING and not _goes_on(row, rows)] or None


def _missing(held: dict[tuple[str, str], int], rows: list[Own]) -> list[tuple[str, str, int]]:
    """Kind, state and number of held sales where no licence was sent in at all."""
    known = {(row.licence.kind, row.licence.region) for row in rows}
    return [(*key, number) for key, number in sorted(held.items()) if key not in known]


def _goes_on(row: Own, rows: list[Own]) -> bool:
    """Whether a later licence for the same stands behind it, verified or sent in."""
    return any(
        other.licence.kind == row.licence.kind
        and other.licence.region == row.licence.region
        and other.licence.state in (licences.SUBMITTED, licences.VERIFIED)
        and other.licence.id != row.licence.id
        and (other.licence.expires_on > row.licence.expires_on or row.standing == "rejected")
        for other in rows
    )


def _page(form: LicenceForm, *, status: int = 200) -> Response:
    return show("desk/licence_new.html", "form", status=status, form=form)


register_panel(
    Panel("licences", _l("Licences"), 5, "work leads", "desk/panels/licences.html", load_card, aside=True)
)
