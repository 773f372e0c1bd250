"""/admin/adjustments: corrections by hand, proposed by one person and decided by another."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Regexp

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError, NotYours
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import statements
from portal.members.finding import FOUND, find_people
from portal.models import Adjustment, Consultant
from portal.payouts import adjustments as service
from portal.payouts.adjustments import LONGEST_REASON, Proposal
from portal.store import perform
from portal.ui import bookings as words
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import MoneyField, RefusingForm, chosen_from
from portal.ui.htmx import request

KINDS = {"give": _l("Give money"), "take": _l("Take money back"), "write_off": _l("Write a debt off")}
STATES = {
    "proposed": (_l("Waits for a second person"), "sun"),
    "approved": (_l("Booked"), "ok"),
    "rejected": (_l("Not approved"), "bad"),
}


class ProposalForm(RefusingForm):
    """What is to be booked, how much, and why."""

    kind = RadioField(
        _l("What is to be done"),
        choices=chosen_from(KINDS),
        default="give",
    )
    amount = MoneyField(_l("Amount"))
    reason = TextAreaField(_l("Reason, read by the consultant"), validators=[Length(max=LONGEST_REASON)])
    key = HiddenField(validators=[Regexp("[a-z2-7]{20}$")])

    def proposal(self, consultant_id: int) -> Proposal:
        """What the form asks for; raises `BadInput` without an amount above 0."""
        if self.amount.data is None or self.amount.data <= 0:
            raise BadInput(_("Please write an amount like 1,234.50."), field="amount")
        kind = "write_off" if self.kind.data == "write_off" else "correction"
        amount = Cents(-self.amount.data if self.kind.data == "take" else self.amount.data)
        return Proposal(consultant_id, kind, amount, self.reason.data or "", str(self.key.data))


class DecisionForm(RefusingForm):
    """Why not."""

    decision = StringField(_l("Why not"), validators=[Length(max=LONGEST_REASON)])


@admin.get("/adjustments")
@requires(permissions.manage_adjustments)
def adjustments() -> Response:
    """What waits, what was decided, and finding a consultant to correct."""
    asked = request.args.get("who", "").strip()
    return show(
        "admin/adjustments.html",
        "main",
        waiting=service.waiting(db.session()),
        decided=service.decided(db.session(), before=number(request.args, "before")),
        asked=asked,
        people=find_people(db.session(), asked, most=FOUND) if asked else [],
        states=STATES,
    )


@admin.get("/consultants/<public_id>/adjust")
@requires(permissions.manage_adjustments)
def adjust(public_id: str) -> Response:
    """The form for one consultant."""
    return _proposal_page(_consultant(public_id), ProposalForm(formdata=None, key=new_id()))


@admin.post("/consultants/<public_id>/adjust")
@requires(permissions.manage_adjustments)
@require_recent_password()
def propose_adjustment(public_id: str) -> AnyResponse:
    """Propose; the same form sent twice proposes once."""
    who, form, actor_id = _consultant(public_id), ProposalForm(), current_user.id
    if not form.validate_on_submit():
        return _proposal_page(who, form, status=422)
    try:
        proposal = form.proposal(who.id)
        made = perform(lambda uow: service.propose(uow, proposal, actor_id=actor_id).public_id)
    except DomainError as refusal:
        form.refuse(refusal)
        return _proposal_page(who, form, status=refusal.status)
    flash(_("Proposed. Somebody else has to agree before it is booked."), "ok")
    return redirect(url_for("admin.adjustment", public_id=made), 303)


@admin.get("/adjustments/<public_id>")
@requires(permissions.manage_adjustments)
def adjustment(public_id: str) -> Response:
    """One correction: who proposed it, who decided, and its entry."""
    return _adjustment_page(_found(public_id), DecisionForm(formdata=None))


@admin.post("/adjustments/<public_id>/approve")
@requires(permissions.manage_adjustments)
@require_recent_password()
def approve_adjustment(public_id: str) -> AnyResponse:
    """Agree; it is booked."""
    return _decided(public_id, service.approve, _("Booked. The consultant is told."))


@admin.post("/adjustments/<public_id>/reject")
@requires(permissions.manage_adjustments)
@require_recent_password()
def reject_adjustment(public_id: str) -> AnyResponse:
    """Say no, and why."""
    decision = DecisionForm().decision.data or ""
    return _decided(public_id, service.reject, _("Not approved. Nothing was booked."), decision=decision)


def _decided(public_id: str, decide: Callable[..., object], words: str, **more: str) -> AnyResponse:
    form, actor_id, row_id = DecisionForm(), current_user.id, _found(public_id).id
    if not form.validate_on_submit():
        return _adjustment_page(_found(public_id), form, status=422)
    try:
        perform(lambda uow: decide(uow, adjustment_id=row_id, actor_id=actor_id, **more) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _adjustment_page(_found(public_id), form, status=refusal.status)
    flash(words, "ok")
    return redirect(url_for("admin.adjustment", public_id=public_id), 303)


def _proposal_page(who: Consultant, form: ProposalForm, *, status: int = 200) -> Response:
    purse = statements.balances(db.session(), who.id)
    return show("admin/adjust.html", "form", status=status, form=form, who=who, purse=purse, kinds=KINDS)


def _adjustment_page(found: Adjustment, form: DecisionForm, *, status: int = 200) -> Response:
    who = db.session.get_one(Consultant, found.consultant_id)
    return show(
        "admin/adjustment.html",
        "adjustment",
        status=status,
        found=found,
        form=form,
        who=who,
        people=service.people_of(db.session(), found),
        states=STATES,
        mine=found.proposed_by == current_user.id,
        words=words,
    )


def _consultant(public_id: str) -> Consultant:
    wanted = select(Consultant).where(Consultant.public_id == public_id)
    found = db.session.scalars(wanted).unique().one_or_none()
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def _found(public_id: str) -> Adjustment:
    found = db.session.scalar(select(Adjustment).where(Adjustment.public_id == public_id))
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found
