"""/admin/payments: what came in through Stripe, what went back, and every event and entry behind it."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.admin import payment_forms as words
from portal.admin.payment_forms import PaymentFilter, RefundForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.payments import queries, requests
from portal.payments.sweeping import last_sweep
from portal.store import perform
from portal.store.inbox import STRIPE, replay
from portal.ui import bookings, show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50


@admin.get("/payments")
@requires(permissions.see_payments)
def payments() -> Response:
    """Every payment, with filters that stay in the address."""
    form = PaymentFilter(request.args)
    right = form.validate()
    wanted = form.wanted() if right else queries.Wanted()
    before = number(request.args, "before") or 0
    rows = queries.find_payments(db.session(), wanted, before=before, limit=ROWS_A_PAGE)
    return show(
        "admin/payments.html",
        "list",
        status=200 if right else 422,
        form=form,
        rows=rows,
        sums=queries.sums_of(db.session(), wanted),
        more=rows[-1][0].id if len(rows) == ROWS_A_PAGE else 0,
        kept={name: value for name, value in request.args.items() if name != "before" and value},
        dead=len(queries.events(db.session(), "dead")),
        swept=last_sweep(db.session()),
        words=words,
    )


@admin.get("/payments/<public_id>")
@requires(permissions.see_payments)
def payment(public_id: str) -> Response:
    """One payment; a tick asks again while something is under way."""
    return _page(public_id, RefundForm(formdata=None))


@admin.post("/payments/<public_id>/refund")
@requires(permissions.refund_payments)
@require_recent_password()
def ask_for_refund(public_id: str) -> AnyResponse:
    """Ask Stripe to give a part or all of it back; a job sends it."""
    form, actor_id = RefundForm(), current_user.id
    if not form.validate_on_submit():
        return _page(public_id, form, status=422)
    cents, reason = form.amount.data or 0, form.reason.data or ""
    try:
        perform(
            lambda uow: requests.ask_refund(
                uow, payment_public_id=public_id, amount_cents=cents, reason=reason, actor_id=actor_id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(public_id, form, status=refusal.status)
    flash(_("The refund is on its way to Stripe. What comes of it shows here."), "ok")
    return redirect(url_for("admin.payment", public_id=public_id), 303)


@admin.get("/payments/events")
@requires(permissions.see_payments)
def payment_events() -> Response:
    """What Stripe told, newest first."""
    state = request.args.get("state", "dead")
    before = number(request.args, "before") or 0
    rows = queries.events(db.session(), state, before=before, limit=ROWS_A_PAGE)
    return show(
        "admin/payment_events.html",
        "main",
        rows=rows,
        state=state if state in words.EVENT_STATES else "all",
        more=rows[-1].id if len(rows) == ROWS_A_PAGE else 0,
        words=words,
    )


@admin.get("/payments/events/<int:inbox_id>")
@requires(permissions.see_payments)
def payment_event(inbox_id: int) -> Response:
    """One event with its body."""
    row, body = queries.event_body(db.session(), inbox_id)
    may_replay = may(permissions.replay_payment_events) and row.state == "dead"
    return show("admin/payment_event.html", "main", row=row, body=body, words=words, may_replay=may_replay)


@admin.post("/payments/events/<int:inbox_id>/replay")
@requires(permissions.replay_payment_events)
@require_recent_password()
def replay_event(inbox_id: int) -> AnyResponse:
    """Try an event again that was given up."""
    actor_id = current_user.id
    perform(lambda uow: replay(uow, source=STRIPE, inbox_id=inbox_id, actor_id=actor_id))
    flash(_("The event is tried again."), "ok")
    return redirect(url_for("admin.payment_event", inbox_id=inbox_id), 303)


def _page(public_id: str, form: RefundForm, *, status: int = 200) -> Response:
    story = queries.story_of(db.session(), public_id)
    asked = sum(each.amount_cents for each in story.requests if each.state in requests.UNDER_WAY)
    left = story.payment.amount_cents - story.payment.refunded_cents - asked
    return show(
        "admin/payment.html",
        "story",
        status=status,
        story=story,
        form=form,
        left=left,
        may_refund=may(permissions.refund_payments)
        and left > 0
        and story.payment.state not in ("disputed", "lost"),
        under_way=any(each.state in requests.UNDER_WAY for each in story.requests),
        words=words,
        bookings=bookings,
    )
