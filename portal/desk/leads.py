"""/leads: the pipeline as a list, a new lead in three fields, one lead with all that happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import to_user_timezone
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.desk import words
from portal.desk.access import me, mine, with_desk
from portal.desk.forms import DetailsForm, LeadForm, LostForm, NoteForm, StopForm, TaskForm
from portal.desk.room import desk
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.leads import queries, working
from portal.leads.enquiries import Enquiry
from portal.leads.queries import Sought
from portal.leads.service import HadAlready, write_down
from portal.models import Lead
from portal.models.lead import LEAD_STAGES
from portal.store import UnitOfWork, people, perform
from portal.store.people import shown_phone
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request

LONGEST_SOUGHT: Final = 120


@desk.get("/leads")
@requires(permissions.work_leads)
@with_desk
def leads() -> Response:
    """Own leads by stage, what is to be done, and what waits for an answer."""
    session, consultant_id = db.session(), me().id
    sought = Sought(*(request.args.get(name, "")[:LONGEST_SOUGHT] for name in ("stage", "q", "came")))
    wanted = queries.own_leads(consultant_id, sought)
    rows = queries.page_of(session, wanted, before=number(request.args, "before"))
    archived = queries.own_lead(session, request.args.get("archived", ""), consultant_id)
    return show(
        "desk/leads.html",
        "live",
        rows=rows[: queries.PAGE],
        more=rows[queries.PAGE - 1].lead.id if len(rows) > queries.PAGE else None,
        counts=queries.counts(session, consultant_id),
        sought=sought,
        sources=queries.sources_of(session, consultant_id),
        tasks=queries.tasks_to_do(session, consultant_id),
        offers=queries.offers_to(session, consultant_id, utc_now()),
        archived=archived if archived and archived.archived_at else None,
        today=to_user_timezone(utc_now()).date(),
        words=words,
    )


@desk.get("/leads/new")
@requires(permissions.work_leads)
@with_desk
def new_lead() -> Response:
    """Three fields."""
    return _new_page(LeadForm(formdata=None))


@desk.post("/leads/new")
@requires(permissions.work_leads)
@with_desk
def add_lead() -> AnyResponse:
    """Write a lead down; who is there already is shown instead, and who may be is asked about first."""
    form, consultant_id, actor_id = LeadForm(), me().id, current_user.id
    if not form.validate_on_submit():
        return _new_page(form, status=422)
    enquiry = Enquiry(form.contact(), "hand", consultant_id=consultant_id)

    def work(uow: UnitOfWork) -> tuple[str, bool]:
        taken = write_down(uow, enquiry=enquiry, actor_id=actor_id, anyway="anyway" in request.form)
        return taken.lead.public_id, taken.is_new

    try:
        public_id, is_new = perform(work)
    except HadAlready as doubt:
        return _new_page(form, status=doubt.status, had=doubt.public_ids)
    except DomainError as refusal:
        form.refuse(refusal)
        return _new_page(form, status=422)
    said = _("Written down.") if is_new else _("You have this person already. Nothing was written twice.")
    flash(said, "ok" if is_new else "sun")
    return redirect(url_for("desk.lead", public_id=public_id), 303)


@desk.get("/leads/<public_id>")
@requires(permissions.work_leads)
@with_desk
def lead(public_id: str) -> Response:
    """One lead."""
    return lead_page(public_id)


@desk.post("/leads/<public_id>/details")
@requires(permissions.work_leads)
@with_desk
def change_details(public_id: str) -> AnyResponse:
    """Correct who it is and what they ask for."""
    form, own = DetailsForm().offer(), mine(public_id)
    if not form.validate_on_submit():
        return lead_page(public_id, form, status=422)
    service_id = int(form.service.data) if form.service.data else None
    contact = form.contact()
    try:
        perform(lambda uow: working.change_details(uow, own, contact=contact, service_id=service_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return lead_page(public_id, form, status=refusal.status)
    flash(_("Saved."), "ok")
    return redirect(url_for("desk.lead", public_id=public_id), 303)


def lead_page(public_id: str, wrong: RefusingForm | None = None, *, status: int = 200) -> Response:
    """The page of a lead; `wrong` is the form of it that was refused. Raises `NotYours`."""
    session = db.session()
    found = queries.own_lead(session, public_id, me().id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    shown: list[RefusingForm] = [kind(formdata=None) for kind in (NoteForm, TaskForm, LostForm, StopForm)]
    shown += [_details(found), *([wrong] if wrong else [])]
    uow = UnitOfWork(session, utc_now)
    last = working.last_move(uow, found)
    undo = number(request.args, "undo")
    return show(
        "desk/lead.html",
        "live",
        status=status,
        lead=found,
        phone=shown_phone(found.person.phone or ""),
        stages=LEAD_STAGES,
        stopped=people.is_stopped(session, found.person),
        consents=queries.consents_of(session, found.person_id),
        tasks=queries.tasks_of(session, found),
        moments=queries.timeline(session, found),
        undo=last if last and last.id == undo and working.is_undoable(last, uow) else None,
        forms={type(form).__name__: form for form in shown},
        wrong=type(wrong).__name__ if wrong else "",
        today=to_user_timezone(utc_now()).date(),
        words=words,
    )


def _new_page(form: LeadForm, *, status: int = 200, had: Sequence[str] = ()) -> Response:
    """The form for a new lead; `had` are the public ids of own leads that may be the same person."""
    found = [queries.own_lead(db.session(), public_id, me().id) for public_id in had]
    known = [lead for lead in found if lead]
    return show("desk/lead_new.html", "form", status=status, form=form, known=known, words=words)


def _details(lead: Lead) -> DetailsForm:
    person = lead.person
    known = {
        "name": person.name,
        "email": person.email,
        "phone": shown_phone(person.phone or ""),
        "address": person.address or "",
        "region": lead.region or "",
        "service": str(lead.service_id or ""),
    }
    return DetailsForm(formdata=None, data=known).offer()
