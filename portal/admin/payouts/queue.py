"""/admin/payouts: the queue, and decisions on what waits in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.payouts import forms
from portal.admin.payouts.forms import ChoiceForm, FilterForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import Consultant
from portal.payouts import batches, queries, results, service
from portal.payouts.stops import standing
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50


@admin.get("/payouts")
@requires(permissions.manage_payouts)
def payouts() -> Response:
    """The queue: what waits, with filters that stay in the address."""
    return _queue(ChoiceForm(formdata=None))


@admin.post("/payouts/approve")
@requires(permissions.manage_payouts)
@require_recent_password()
def approve_payouts() -> AnyResponse:
    """Approve what is ticked."""
    done = _for_each(ChoiceForm(), service.approve)
    return done or _back(_("Approved."))


@admin.post("/payouts/reject")
@requires(permissions.manage_payouts)
@require_recent_password()
def reject_payouts() -> AnyResponse:
    """Reject what is ticked; the reason goes to its owners."""
    form = ChoiceForm()
    done = _for_each(form, service.reject, reason=form.reason.data or "")
    return done or _back(_("Not approved. The money is back in the wallets."))


@admin.post("/payouts/export")
@requires(permissions.manage_payouts)
@require_recent_password()
def export_payouts() -> AnyResponse:
    """Write what is ticked into files for the bank, one batch for each way to pay."""
    form, actor_id = ChoiceForm(), current_user.id
    if not form.validate_on_submit():
        return _queue(form, status=422)
    ids = _ids(form.chosen.data)
    try:
        made = perform(lambda uow: _exported(uow, ids, actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return _queue(form, status=refusal.status)
    if len(made) > 1:
        return _back(_("Exported into %(num)s batches, one for each way to pay.", num=len(made)))
    return redirect(url_for("admin.batch", public_id=made[0]), 303)


def _exported(uow: UnitOfWork, ids: Sequence[int], actor_id: int) -> list[str]:
    made = batches.export_batches(uow, withdrawal_ids=ids, actor_id=actor_id)
    return [batch.public_id for batch in made]


def _queue(form: ChoiceForm, *, status: int = 200) -> Response:
    filters = FilterForm(request.args)
    filters.validate()
    state = filters.state.data if filters.state.data in forms.STATES else "requested"
    least = None if filters.least.errors else filters.least.data
    states = () if state == "all" else (state,)
    after = number(request.args, "after")
    question = queries.withdrawals(states=states, name=(filters.name.data or "").strip(), least=least)
    rows = queries.read(db.session(), queries.page(question, after=after, limit=ROWS_A_PAGE + 1))
    more = rows[ROWS_A_PAGE - 1].withdrawal.id if len(rows) > ROWS_A_PAGE else None
    return show(
        "admin/payouts.html",
        "queue",
        status=status,
        form=form,
        filters=filters,
        state=state,
        rows=rows[:ROWS_A_PAGE],
        alone={row.withdrawal.id for row in rows if row.is_approved_alone_by(current_user.id)},
        people=_public_ids({row.withdrawal.consultant_id for row in rows}),
        more=more,
        counts=queries.counts(db.session()),
        stopped=standing(db.session()),
        suspended=len(results.suspense(db.session())),
        batches=queries.batches(db.session()),
        words=forms,
    )


def _public_ids(consultant_ids: set[int]) -> dict[int, str]:
    """Under which address each of these consultants is, by their row's id."""
    named = select(Consultant.id, Consultant.public_id).where(Consultant.id.in_(consultant_ids))
    return {row.id: row.public_id for row in db.session.execute(named)}


def _for_each(form: ChoiceForm, decide: Callable[..., object], **more: str) -> Response | None:
    """Decide on all that is ticked in one transaction; the page with the refusal, or None when it is done."""
    if not form.validate_on_submit():
        return _queue(form, status=422)
    actor_id, ids = current_user.id, _ids(form.chosen.data)
    if not ids:
        form.form_errors.append(_("Please choose at least one withdrawal."))
        return _queue(form, status=422)

    def work(uow: UnitOfWork) -> None:
        for row_id in ids:
            decide(uow, withdrawal_id=row_id, actor_id=actor_id, **more)

    try:
        perform(work)
    except DomainError as refusal:
        form.refuse(refusal)
        return _queue(form, status=refusal.status)
    return None


def _ids(public_ids: Sequence[str] | None) -> list[int]:
    """Row ids of what was ticked, in the order in which rows are locked."""
    return queries.ids_of(db.session(), public_ids or ())


def _back(words: str) -> AnyResponse:
    """To the queue as it was filtered."""
    flash(words, "ok")
    kept = {name: value for name, value in request.args.items() if name in ("state", "name", "least")}
    return redirect(url_for("admin.payouts", **kept), 303)
