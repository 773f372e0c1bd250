"""What a consultant does on the page of a lead, and with a lead that was offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.desk.access import me, mine, with_desk
from portal.desk.forms import LostForm, NoteForm, StopForm, TaskForm
from portal.desk.leads import lead_page
from portal.desk.room import desk
from portal.kernel.errors import DomainError
from portal.leads import offers, working
from portal.leads.stopping import stop_contact
from portal.store import UnitOfWork, perform
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request


@desk.post("/leads/<public_id>/stage")
@requires(permissions.work_leads)
@with_desk
def change_stage(public_id: str) -> Response:
    """Put a lead on another stage; the page then offers to undo it."""
    own, stage = mine(public_id), request.form.get("stage", "")
    step = perform(lambda uow: working.change_stage(uow, own, stage=stage))
    return _back(public_id, undo=step)


@desk.post("/leads/<public_id>/lost")
@requires(permissions.work_leads)
@with_desk
def lose(public_id: str) -> Response:
    """Say that nothing comes of it, and why."""
    form, own = LostForm(), mine(public_id)
    if not form.validate_on_submit():
        return lead_page(public_id, form, status=422)
    reason = form.reason.data or ""
    step = perform(lambda uow: working.change_stage(uow, own, stage="lost", reason=reason))
    return _back(public_id, undo=step)


@desk.post("/leads/<public_id>/undo")
@requires(permissions.work_leads)
@with_desk
def undo(public_id: str) -> Response:
    """Put it back where it stood."""
    own, step_id = mine(public_id), number(request.form, "step") or 0
    perform(lambda uow: working.undo_stage(uow, own, step_id=step_id))
    flash(_("It stands where it stood before."), "ok")
    return _back(public_id)


@desk.post("/leads/<public_id>/notes")
@requires(permissions.work_leads)
@with_desk
def add_note(public_id: str) -> Response:
    """Write something down."""
    form, own = NoteForm(), mine(public_id)
    return _do(public_id, form, lambda uow: working.add_note(uow, own, text=form.text.data or ""))


@desk.post("/leads/<public_id>/tasks")
@requires(permissions.work_leads)
@with_desk
def add_task(public_id: str) -> Response:
    """Something to do by a day."""
    form, own = TaskForm(), mine(public_id)

    def work(uow: UnitOfWork) -> None:
        working.add_task(uow, own, title=form.title.data or "", due_on=form.due_on.data)

    return _do(public_id, form, work)


@desk.post("/leads/<public_id>/tasks/<task_id>")
@requires(permissions.work_leads)
@with_desk
def finish_task(public_id: str, task_id: str) -> Response:
    """Tick it off; `again` takes the tick away."""
    own, done = mine(public_id), "again" not in request.form
    perform(lambda uow: working.finish_task(uow, own, task_id=task_id, done=done))
    return redirect(url_for("desk.leads"), 303) if "list" in request.form else _back(public_id)


@desk.post("/leads/<public_id>/archive")
@requires(permissions.work_leads)
@with_desk
def archive(public_id: str) -> Response:
    """Put it away; the list then offers to undo it. `restore` takes it out again."""
    own, archived = mine(public_id), "restore" not in request.form
    perform(lambda uow: working.archive(uow, own, archived=archived))
    if not archived:
        flash(_("It is on your list again."), "ok")
        return _back(public_id)
    return redirect(url_for("desk.leads", archived=public_id), 303)


@desk.post("/leads/<public_id>/stop")
@requires(permissions.work_leads)
@with_desk
def stop_lead(public_id: str) -> Response:
    """The person said that they do not want to be contacted."""
    form, own = StopForm(), mine(public_id)
    reason = form.said.data or "Told to the consultant"

    def work(uow: UnitOfWork) -> None:
        stop_contact(uow, own.locked(uow).person, reason=reason, actor_id=own.actor_id)

    return _do(public_id, form, work)


@desk.post("/leads/offers/<public_id>")
@requires(permissions.work_leads)
@with_desk
def answer_offer(public_id: str) -> Response:
    """Take a lead that was offered, or say no."""
    consultant_id, actor_id = me().id, current_user.id
    named: dict[str, Any] = {"public_id": public_id, "consultant_id": consultant_id, "actor_id": actor_id}
    if request.form.get("answer") == "yes":
        taken = perform(lambda uow: offers.accept(uow, **named).public_id)
        flash(_("The lead is yours. The sooner you get in touch, the better."), "ok")
        return _back(taken)
    perform(lambda uow: offers.decline(uow, **named))
    flash(_("Thank you for answering. Somebody else is asked now."), "ok")
    return redirect(url_for("desk.leads"), 303)


def _do(public_id: str, form: RefusingForm, work: Callable[[UnitOfWork], None]) -> Response:
    """Do it where the form is right, else show it with what is wrong."""
    if not form.validate_on_submit():
        return lead_page(public_id, form, status=422)
    try:
        perform(work)
    except DomainError as refusal:
        form.refuse(refusal)
        return lead_page(public_id, form, status=refusal.status)
    return _back(public_id)


def _back(public_id: str, *, undo: int | None = None) -> Response:
    return redirect(url_for("desk.lead", public_id=public_id, undo=undo), 303)
