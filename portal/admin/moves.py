"""/admin/moves: moves in the tree, proposed by one person, decided by another, done when a cycle begins."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal import live
from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError, NotYours
from portal.members import moves as service
from portal.members import queries as members
from portal.members.finding import FOUND, find_people
from portal.members.moves import LONGEST_REASON, Wish
from portal.models import Consultant, PlacementMove
from portal.store import perform
from portal.ui import show
from portal.ui.fields import RefusingForm, chosen_from
from portal.ui.htmx import request

STATES = {
    "proposed": (_l("Waits for a second person"), "sun"),
    "approved": (_l("Waits for the next cycle"), "sun"),
    "done": (_l("Done"), "ok"),
    "rejected": (_l("Not approved"), "bad"),
    "refused": (_l("The spot was taken"), "bad"),
}


class MoveForm(RefusingForm):
    """Whose spot, on which leg, and why."""

    parent = StringField(_l("Code of the person to stand under"), [InputRequired(_l("Please write a code."))])
    leg = RadioField(
        _l("Leg"),
        choices=chosen_from({"L": _l("Left"), "R": _l("Right")}),
        default="L",
    )
    reason = TextAreaField(_l("Reason"), validators=[Length(max=LONGEST_REASON)])

    def wish(self, consultant_id: int) -> Wish:
        """What the form asks for; raises `BadInput` for a code that nobody has."""
        code = (self.parent.data or "").strip().upper()
        parent = db.session.scalar(select(Consultant).where(Consultant.code == code))
        if parent is None:
            raise BadInput(_("Nobody has this code."), field="parent")
        return Wish(consultant_id, parent.id, self.leg.data or "", self.reason.data or "")


class RefusalForm(RefusingForm):
    """Why not."""

    decision = StringField(_l("Why not"), validators=[Length(max=LONGEST_REASON)])


@admin.get("/moves")
@requires(permissions.manage_moves)
def moves() -> Response:
    """What waits, what was done, and finding somebody to move."""
    session, asked = db.session(), request.args.get("who", "").strip()
    waiting = service.listed(session, "proposed", "approved")
    over = service.listed(session, "done", "rejected", "refused")
    people = {move.consultant_id for move in (*waiting, *over)}
    return show(
        "admin/moves.html",
        "main",
        waiting=waiting,
        over=over,
        names={who: session.get_one(Consultant, who).person.name for who in people},
        asked=asked,
        people=find_people(session, asked, most=FOUND) if asked else [],
        states=STATES,
    )


@admin.get("/consultants/<public_id>/move")
@requires(permissions.manage_moves)
def move_consultant(public_id: str) -> Response:
    """The form for one consultant."""
    return _form_page(_consultant(public_id), MoveForm(formdata=None))


@admin.post("/consultants/<public_id>/move")
@requires(permissions.manage_moves)
@require_recent_password()
def propose_move(public_id: str) -> AnyResponse:
    """Propose a move."""
    who, form, actor_id = _consultant(public_id), MoveForm(), current_user.id
    if not form.validate_on_submit():
        return _form_page(who, form, status=422)
    try:
        wish = form.wish(who.id)
        made = perform(lambda uow: service.propose(uow, wish, actor_id=actor_id).public_id)
    except DomainError as refusal:
        form.refuse(refusal)
        return _form_page(who, form, status=refusal.status)
    flash(_("Proposed. Somebody else has to agree."), "ok")
    return redirect(url_for("admin.move", public_id=made), 303)


@admin.get("/moves/<public_id>")
@requires(permissions.manage_moves)
def move(public_id: str) -> Response:
    """One move: from where to where, who proposed it, who decided, what became of it."""
    return _move_page(_found(public_id), RefusalForm(formdata=None))


@admin.post("/moves/<public_id>/approve")
@requires(permissions.manage_moves)
@require_recent_password()
def approve_move(public_id: str) -> AnyResponse:
    """Agree; it is done when the next cycle begins."""
    return _decided(public_id, service.approve, _("Approved. It is done when the next cycle begins."))


@admin.post("/moves/<public_id>/reject")
@requires(permissions.manage_moves)
@require_recent_password()
def reject_move(public_id: str) -> AnyResponse:
    """Say no, and why."""
    decision = RefusalForm().decision.data or ""
    return _decided(public_id, service.reject, _("Not approved. Nobody is moved."), decision=decision)


def _decided(public_id: str, decide: Callable[..., object], words: str, **more: str) -> AnyResponse:
    form, actor_id, move_id = RefusalForm(), current_user.id, _found(public_id).id
    if not form.validate_on_submit():
        return _move_page(_found(public_id), form, status=422)
    try:
        perform(lambda uow: decide(uow, move_id=move_id, actor_id=actor_id, **more) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _move_page(_found(public_id), form, status=refusal.status)
    flash(words, "ok")
    return redirect(url_for("admin.move", public_id=public_id), 303)


def _form_page(who: Consultant, form: MoveForm, *, status: int = 200) -> Response:
    return show("admin/move_form.html", "form", status=status, form=form, who=who, stands=_place(who.id))


def _move_page(found: PlacementMove, form: RefusalForm, *, status: int = 200) -> Response:
    session = db.session()
    who = session.get_one(Consultant, found.consultant_id)
    legs = live.legs([who.id]).legs[0]
    return show(
        "admin/move.html",
        "move",
        status=status,
        found=found,
        form=form,
        who=who,
        stands=_place(who.id),
        above=session.get_one(Consultant, found.parent_id),
        below=legs.people_left + legs.people_right if legs else 0,
        people=service.people_of(session, found),
        states=STATES,
        mine=found.proposed_by == current_user.id,
    )


def _place(consultant_id: int) -> tuple[Consultant | None, str | None] | None:
    """Whom somebody stands under now, and on which leg; None without a place."""
    place = members.placement_of(db.session(), consultant_id)
    if place is None:
        return None
    above = db.session.get_one(Consultant, place.parent_id) if place.parent_id else None
    return above, place.leg


def _consultant(public_id: str) -> Consultant:
    found = members.consultant_by_public_id(db.session(), public_id)
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def _found(public_id: str) -> PlacementMove:
    found = db.session.scalar(select(PlacementMove).where(PlacementMove.public_id == public_id))
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found
