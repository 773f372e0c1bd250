"""/admin/payouts/sending: what providers pay by themselves, what became of each, and what people decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.payouts import forms as words
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.kernel.facts import MatchRequested
from portal.models import Audit, PayoutAttempt
from portal.payouts import stops
from portal.payouts.automatic import matching, queries, review
from portal.payouts.automatic.orders import attempts_of
from portal.payouts.automatic.review import LONGEST_REASON, LONGEST_REF, Proposal
from portal.payouts.queries import entries_of
from portal.store import perform
from portal.ui import bookings, show
from portal.ui.fields import RefusingForm, chosen_from
from portal.ui.htmx import request

OUTCOMES = {
    None: (_l("No answer yet"), "now"),
    "accepted": (_l("Accepted by the provider"), "done"),
    "rejected": (_l("Refused by the provider"), "bad"),
    "retry_later": (_l("Put off by the provider"), "now"),
    "unknown": (_l("The answer was lost"), "bad"),
}
STEPS = {
    "withdrawal.approve": _l("Approved"),
    "withdrawal.review": _l("Left to people"),
    "withdrawal.propose": _l("Proposed"),
    "withdrawal.drop": _l("Proposal dropped"),
    "withdrawal.confirm": _l("Confirmed"),
    "withdrawal.arrived": _l("At the bank"),
    "withdrawal.bounced": _l("Refused by the bank; it is fetched back"),
    "withdrawal.returned": _l("Back in the wallet"),
    "withdrawal.failed": _l("Back in the wallet"),
}
DECISIONS = {
    "paid": _l("It was paid: book it under the provider's name for it"),
    "release": _l("It was not paid and shall not be: give the money back"),
    "again": _l("It was not paid: send it again under a new key"),
}
BACK_DECISIONS = {
    "paid": _l("Its owner has it after all: leave it as paid"),
    "release": _l("The money is back at the company: put it into the wallet"),
    "again": _l("Ask the provider for it again"),
}
WHAT = {
    "twice": _l("carried out twice"),
    "stranger": _l("unknown here"),
    "not_here": _l("paid there, not here"),
    "not_there": _l("paid here, not there"),
    "amount": _l("another amount"),
    "not_booked": _l("not in the books"),
}


class DecisionForm(RefusingForm):
    """What should become of a payout that nobody can be sure of."""

    decision = RadioField(
        _l("What should happen?"),
        choices=chosen_from(DECISIONS),
        validators=[InputRequired(_l("Please choose what should happen."))],
    )
    ref = StringField(_l("The provider's name for the payment"), validators=[Length(max=LONGEST_REF)])
    reason = StringField(_l("What you found"), validators=[Length(max=LONGEST_REASON)])


@admin.get("/payouts/sending")
@requires(permissions.manage_payouts)
def sending() -> Response:
    """Automatic payouts by state, stops, and the last matches."""
    session, wanted = db.session(), request.args.get("state", "")
    counts = queries.counts(session)
    first = next((state for state in queries.STATES if state in counts), "queued")
    state = wanted if wanted in queries.STATES else first
    return show(
        "admin/sending.html",
        "main",
        states=queries.STATES,
        state=state,
        counts=counts,
        rows=queries.payouts_in(session, state),
        stops=stops.standing(session),
        matches=matching.last_matches(session),
        overdue=matching.overdue(session, now=utc_now()),
        words=words,
        what=WHAT,
    )


@admin.post("/payouts/sending/match")
@requires(permissions.manage_payouts)
def ask_for_match() -> AnyResponse:
    """Have payouts, books and the providers' records compared now."""
    actor_id = current_user.id
    perform(lambda uow: uow.publish(MatchRequested(actor_id)))
    flash(_("The match was asked for. It is here in a few moments."), "ok")
    return redirect(url_for("admin.sending"), 303)


@admin.get("/payouts/sending/<public_id>")
@requires(permissions.manage_payouts)
def sending_one(public_id: str) -> Response:
    """One payout: every attempt and every word about it."""
    return _one(public_id, DecisionForm(formdata=None))


@admin.post("/payouts/sending/<public_id>")
@requires(permissions.manage_payouts)
@require_recent_password()
def propose_payout(public_id: str) -> AnyResponse:
    """Propose what should become of one in review."""
    form, actor_id = DecisionForm(), current_user.id
    if not form.validate_on_submit():
        return _one(public_id, form, status=422)
    row_id = queries.payout_by(db.session(), public_id).withdrawal.id
    proposal = Proposal(form.decision.data, form.reason.data or "", form.ref.data or "")
    try:
        perform(lambda uow: review.propose(uow, proposal, withdrawal_id=row_id, actor_id=actor_id) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _one(public_id, form, status=refusal.status)
    flash(_("Proposed. Somebody else has to confirm it."), "ok")
    return redirect(url_for("admin.sending_one", public_id=public_id), 303)


@admin.post("/payouts/sending/<public_id>/confirm")
@requires(permissions.manage_payouts)
@require_recent_password()
def confirm_payout(public_id: str) -> AnyResponse:
    """Say yes to what somebody else proposed."""
    read = request.form.get("proposal", "")
    return _decide(public_id, partial(review.confirm, proposal_id=read), _("Confirmed and done."))


@admin.post("/payouts/sending/<public_id>/drop")
@requires(permissions.manage_payouts)
@require_recent_password()
def drop_payout_proposal(public_id: str) -> AnyResponse:
    """Take a proposal off the table."""
    return _decide(public_id, review.drop, _("The proposal is dropped."))


def _decide(public_id: str, step: Callable[..., object], said: str) -> AnyResponse:
    row_id, actor_id = queries.payout_by(db.session(), public_id).withdrawal.id, current_user.id
    return decide(
        lambda uow: step(uow, withdrawal_id=row_id, actor_id=actor_id),
        said=said,
        url=url_for("admin.sending_one", public_id=public_id),
    )


def _one(public_id: str, form: DecisionForm, *, status: int = 200) -> Response:
    session = db.session()
    seen = queries.payout_by(session, public_id)
    decisions = BACK_DECISIONS if seen.withdrawal.stuck_at else DECISIONS
    form.decision.choices = chosen_from(decisions)
    return show(
        "admin/sending_one.html",
        "payout",
        status=status,
        seen=seen,
        place=queries.destination_of(session, seen.withdrawal),
        entries=entries_of(session, [seen.withdrawal])[seen.withdrawal.id],
        waits=queries.why_it_waits(session, seen.withdrawal, now=utc_now()),
        story=_story(attempts_of(session, seen.withdrawal.id), queries.story_of(session, seen.withdrawal.id)),
        form=form,
        words=words,
        bookings=bookings,
        decisions=decisions,
    )


def _story(
    attempts: list[PayoutAttempt], notes: list[tuple[Audit, str]]
) -> list[tuple[datetime, str, object, str]]:
    """(moment, look, label, note) of everything that happened, oldest first."""
    rows: list[tuple[datetime, str, object, str]] = []
    for attempt in attempts:
        label, look = OUTCOMES[attempt.outcome]
        told = " · ".join(filter(None, (attempt.key, attempt.provider_ref, attempt.error)))
        rows.append((attempt.sent_at, look, label, told))
    for note, name in notes:
        if note.action in STEPS:
            told = " · ".join(filter(None, (name, str(note.detail.get("reason", "")))))
            rows.append((note.at, "done", STEPS[note.action], told))
    return sorted(rows, key=lambda row: row[0])
