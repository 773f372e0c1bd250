"""/admin/payouts: the queue, decisions, and batches for the bank."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, flash, make_response, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin import payout_forms as forms
from portal.admin.payout_forms import ChoiceForm, FilterForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.payouts import batches, queries, service
from portal.store import UnitOfWork, perform
from portal.ui import show
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
    """Write what is ticked into one batch."""
    form, actor_id = ChoiceForm(), current_user.id
    if not form.validate_on_submit():
        return _queue(form, status=422)
    ids = _ids(form.chosen.data)
    try:
        public_id = perform(
            lambda uow: batches.export_batch(uow, withdrawal_ids=ids, actor_id=actor_id).public_id
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _queue(form, status=refusal.status)
    return redirect(url_for("admin.batch", public_id=public_id), 303)


@admin.post("/payouts/<public_id>/return")
@requires(permissions.manage_payouts)
@require_recent_password()
def return_payout(public_id: str) -> AnyResponse:
    """The bank sent one back."""
    (row_id,), actor_id = queries.ids_of(db.session(), [public_id]), current_user.id
    reason = request.form.get("reason", "")
    try:
        batch_id = perform(
            lambda uow: (
                service.return_withdrawal(
                    uow, withdrawal_id=row_id, actor_id=actor_id, reason=reason
                ).batch_id
            )
        )
    except DomainError as refusal:
        flash(refusal.message, "bad")
        batch_id = queries.batch_of(db.session(), row_id)
    else:
        flash(_("Returned. The money is back in the wallet."), "ok")
    return redirect(_batch_url(batch_id), 303)


@admin.get("/payouts/batches/<public_id>")
@requires(permissions.manage_payouts)
def batch(public_id: str) -> Response:
    """One batch: its lines, its file, whether the bank has paid."""
    return _batch_page(public_id)


@admin.get("/payouts/batches/<public_id>/file.csv")
@requires(permissions.manage_payouts)
@require_recent_password()
def batch_csv(public_id: str) -> AnyResponse:
    """The stored file, the same bytes each time."""
    found = queries.batch_by_public_id(db.session(), public_id)
    response = make_response(queries.file_of(db.session(), found.id, format="csv").content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="payouts-{found.public_id}.csv"'
    return response


@admin.post("/payouts/batches/<public_id>/confirm")
@requires(permissions.manage_payouts)
@require_recent_password()
def confirm_batch(public_id: str) -> AnyResponse:
    """The bank has paid."""
    return _settle(public_id, batches.confirm_batch, _("The batch is paid."))


@admin.post("/payouts/batches/<public_id>/void")
@requires(permissions.manage_payouts)
@require_recent_password()
def void_batch(public_id: str) -> AnyResponse:
    """The file was not used."""
    return _settle(public_id, batches.void_batch, _("The batch is void. Its lines are approved again."))


def _queue(form: ChoiceForm, *, status: int = 200) -> Response:
    filters = FilterForm(request.args)
    filters.validate()
    state = filters.state.data if filters.state.data in forms.STATES else "requested"
    least = None if filters.least.errors else filters.least.data
    states = () if state == "all" else (state,)
    after = request.args.get("after", type=int)
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
        more=more,
        counts=queries.counts(db.session()),
        batches=queries.batches(db.session()),
        words=forms,
    )


def _batch_page(public_id: str, *, status: int = 200) -> Response:
    found = queries.batch_by_public_id(db.session(), public_id)
    lines = queries.lines_of(db.session(), found.id)
    form = ChoiceForm(formdata=None)
    file = queries.file_of(db.session(), found.id, format="csv")
    page = "admin/payout_batch.html"
    return show(page, "batch", status=status, batch=found, file=file, lines=lines, form=form, words=forms)


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


def _settle(public_id: str, settle: Callable[..., object], words: str) -> AnyResponse:
    batch_id, actor_id = queries.batch_by_public_id(db.session(), public_id).id, current_user.id

    def work(uow: UnitOfWork) -> None:
        settle(uow, batch_id=batch_id, actor_id=actor_id)

    try:
        perform(work)
    except DomainError as refusal:
        flash(refusal.message, "bad")
    else:
        flash(words, "ok")
    return redirect(url_for("admin.batch", public_id=public_id), 303)


def _batch_url(batch_id: int | None) -> str:
    if batch_id is None:
        return url_for("admin.payouts")
    return url_for("admin.batch", public_id=queries.batch_by_id(db.session(), batch_id).public_id)


def _ids(public_ids: Sequence[str] | None) -> list[int]:
    """Row ids of what was ticked, in the order in which rows are locked."""
    return queries.ids_of(db.session(), public_ids or ())


def _back(words: str) -> AnyResponse:
    """To the queue as it was filtered."""
    flash(words, "ok")
    kept = {name: value for name, value in request.args.items() if name in ("state", "name", "least")}
    return redirect(url_for("admin.payouts", **kept), 303)
