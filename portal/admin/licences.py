"""/admin/licences: licences that wait, that expire, that are over; each is verified, rejected or ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.room import admin
from portal.compliance import documents, licences
from portal.compliance import licence_queries as queries
from portal.compliance.licence_queries import Chosen
from portal.compliance.licences import LONGEST_REASON, is_backdated
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.kernel.us import STATES
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request
from portal.ui.licences import STANDINGS, handed_out, kind_words

SHOWN = {
    "submitted": _l("Waiting"),
    "verified": _l("Verified"),
    "expired": _l("Expired"),
    "rejected": _l("Not verified"),
    "ended": _l("Taken back"),
}
NEAR = (60, 30, 7)


class DecisionForm(RefusingForm):
    """Why it is verified or not."""

    reason = TextAreaField(_l("Reason"), validators=[Length(max=LONGEST_REASON)])


class EndForm(RefusingForm):
    """The last day on which it counts, and why."""

    last_day = DateField(_l("Last day"), validators=[InputRequired(_l("Please choose a day."))])
    reason = TextAreaField(_l("Why it ends"), validators=[Length(max=LONGEST_REASON)], id="end-reason")


@admin.get("/licences")
@requires(permissions.manage_licences)
def licence_queue() -> Response:
    """Those that wait first; others by how they stand, by state, by how soon they expire."""
    session, day = db.session(), today()
    state, region = request.args.get("state", "submitted"), request.args.get("region", "")
    within, skip = number(request.args, "within") or 0, number(request.args, "skip") or 0
    state = state if state in SHOWN else "submitted"
    within = within if within in NEAR else 0
    region = region if region in STATES else ""
    rows = queries.queue(session, Chosen(state, within, region), today=day, skip=skip)
    return show(
        "admin/licences.html",
        "main",
        rows=rows[: queries.PAGE],
        following=skip + queries.PAGE if len(rows) > queries.PAGE else None,
        waiting=queries.waiting(session),
        expiring={days: queries.expiring(session, today=day, within=days) for days in NEAR},
        state=state,
        within=within,
        region=region,
        shown=SHOWN,
        **_words(),
    )


@admin.get("/licences/<public_id>")
@requires(permissions.manage_licences)
def licence(public_id: str) -> Response:
    """One licence with its whole number and its file."""
    return _page(public_id, DecisionForm(formdata=None), EndForm(formdata=None))


@admin.get("/licences/<public_id>/document")
@requires(permissions.manage_licences)
def licence_document(public_id: str) -> Response:
    """The file, to be saved."""
    session = db.session()
    found = queries.one(session, public_id, today=today()).licence
    document = queries.document_of(session, found.id)
    return handed_out(found, document, ending=documents.ending_of(document.media_type))


@admin.post("/licences/<public_id>/verify")
@requires(permissions.manage_licences)
@require_recent_password()
def verify_licence(public_id: str) -> AnyResponse:
    """Vouch for it."""
    return _decided(
        public_id, licences.verify, _("Verified. What was held for want of it is looked at again.")
    )


@admin.post("/licences/<public_id>/reject")
@requires(permissions.manage_licences)
@require_recent_password()
def reject_licence(public_id: str) -> AnyResponse:
    """Send it back."""
    return _decided(public_id, licences.reject, _("Sent back with your reason."))


@admin.post("/licences/<public_id>/end")
@requires(permissions.manage_licences)
@require_recent_password()
def end_licence(public_id: str) -> AnyResponse:
    """Let it end before its day."""
    form, actor_id = EndForm(), current_user.id
    if not form.validate_on_submit():
        return _page(public_id, DecisionForm(formdata=None), form, status=422)
    last_day, reason = form.last_day.data, form.reason.data or ""
    assert last_day is not None, "the day is asked for"

    def work(uow: UnitOfWork) -> None:
        licences.end_early(uow, public_id=public_id, last_day=last_day, actor_id=actor_id, reason=reason)

    try:
        perform(work)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(public_id, DecisionForm(formdata=None), form, status=refusal.status)
    flash(_("It ends on that day."), "ok")
    return redirect(url_for("admin.licence", public_id=public_id), 303)


def today() -> date:
    """The day it is in the company's time zone."""
    return utc_now().astimezone(get_timezone()).date()


def _decided(public_id: str, deed: Callable[..., object], words: str) -> AnyResponse:
    form, actor_id = DecisionForm(), current_user.id
    if not form.validate_on_submit():
        return _page(public_id, form, EndForm(formdata=None), status=422)
    reason = form.reason.data or ""
    try:
        perform(lambda uow: deed(uow, public_id=public_id, actor_id=actor_id, reason=reason) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(public_id, form, EndForm(formdata=None), status=refusal.status)
    flash(words, "ok")
    return redirect(url_for("admin.licence_queue"), 303)


def _page(public_id: str, form: DecisionForm, ending: EndForm, *, status: int = 200) -> Response:
    found = queries.one(db.session(), public_id, today=today())
    return show(
        "admin/licence.html",
        "licence",
        status=status,
        found=found,
        form=form,
        ending=ending,
        backdated=is_backdated(found.licence),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"standings": STANDINGS, "states": STATES, "kind_words": kind_words, "masked": queries.masked}
