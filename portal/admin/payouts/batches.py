"""/admin/payouts/batches: the files for the bank, its answer, and the lines that did not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, flash, make_response, redirect, url_for
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.payouts import forms
from portal.admin.payouts.forms import ResultForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.models import Cycle, PayoutBatch, PayoutFile
from portal.payouts import batches, queries, results, service
from portal.payouts.files import ARRIVALS, Arrival
from portal.payouts.result_files import MOST_BYTES, read_result
from portal.payouts.stored import content_of
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "nacha": "text/plain; charset=us-ascii",
}
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "nacha": "ach"}


@admin.get("/payouts/batches/<public_id>")
@requires(permissions.manage_payouts)
def batch(public_id: str) -> Response:
    """One batch: its lines, its files, whether the bank has paid."""
    return _page(public_id, ResultForm(formdata=None))


@admin.get("/payouts/batches/<public_id>/file.<format>")
@requires(permissions.manage_payouts)
@require_recent_password()
def batch_file(public_id: str, format: str) -> AnyResponse:
    """A stored file, the same bytes each time."""
    if format not in MEDIA:
        raise NotYours("There is nothing here under this address.")
    found = queries.batch_by_public_id(db.session(), public_id)
    response = make_response(content_of(queries.file_of(db.session(), found.id, format=format)))
    response.headers["Content-Type"] = MEDIA[format]
    name = f"payouts-{found.public_id}.{ENDINGS[format]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@admin.post("/payouts/batches/<public_id>/result")
@requires(permissions.manage_payouts)
@require_recent_password()
def import_result(public_id: str) -> AnyResponse:
    """Read what the bank sent back; each line by itself."""
    form, actor_id = ResultForm(), current_user.id
    batch_id = queries.batch_by_public_id(db.session(), public_id).id
    if not form.validate_on_submit():
        return _page(public_id, form, status=422)
    try:
        # One byte more than allowed is read, so that a larger file is seen to be one.
        rows = read_result(form.file.data.stream.read(MOST_BYTES + 1))
        done = perform(lambda uow: results.import_result(uow, rows, batch_id=batch_id, actor_id=actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(public_id, form, status=refusal.status)
    numbers = {"paid": done.paid, "returned": done.returned, "known": done.known}
    flash(_("%(paid)s paid, %(returned)s returned, %(known)s known before.", **numbers), "ok")
    if done.problems:
        flash(
            ngettext(
                "%(num)s line does not fit and waits for a person.",
                "%(num)s lines do not fit and wait for a person.",
                done.problems,
            ),
            "bad",
        )
    return redirect(url_for("admin.batch", public_id=public_id), 303)


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


@admin.post("/payouts/<public_id>/return")
@requires(permissions.manage_payouts)
@require_recent_password()
def return_payout(public_id: str) -> AnyResponse:
    """The bank sent one back."""
    (row_id,), actor_id = queries.ids_of(db.session(), [public_id]), current_user.id
    reason = request.form.get("reason", "")
    return decide(
        lambda uow: service.return_withdrawal(uow, withdrawal_id=row_id, actor_id=actor_id, reason=reason),
        said=_("Returned. The money is back in the wallet."),
        url=_batch_url(queries.batch_of(db.session(), row_id)),
    )


@admin.get("/payouts/suspense")
@requires(permissions.manage_payouts)
def suspense() -> Response:
    """Lines of the bank that did not fit."""
    settled = request.args.get("show") == "settled"
    rows = results.suspense(db.session(), settled=settled)
    return show("admin/payout_suspense.html", "main", rows=rows, settled=settled)


@admin.post("/payouts/suspense/<int:line_id>")
@requires(permissions.manage_payouts)
@require_recent_password()
def settle_suspense(line_id: int) -> AnyResponse:
    """A person says what came of a line."""
    actor_id, note = current_user.id, request.form.get("note", "")
    return decide(
        lambda uow: results.settle(uow, line_id=line_id, actor_id=actor_id, note=note),
        said=_("Settled."),
        url=url_for("admin.suspense"),
    )


def _page(public_id: str, form: ResultForm, *, status: int = 200) -> Response:
    session = db.session()
    found = queries.batch_by_public_id(session, public_id)
    lines, files = queries.lines_of(session, found.id), queries.files_of(session, found.id)
    return show(
        "admin/payout_batch.html",
        "batch",
        status=status,
        batch=found,
        voidable=found.state == "exported" and not batches.is_answered(session, found.id),
        files=files,
        heard=results.heard_of(session, found.id),
        week=session.get(Cycle, found.cycle_id) if found.cycle_id else None,
        lines=lines,
        entries=queries.entries_of(session, [line.withdrawal for line in lines]),
        form=form,
        words=forms,
        arrival=_arrival(found, files),
        today=utc_now().astimezone(get_timezone()).date(),
    )


def _arrival(found: PayoutBatch, files: Sequence[PayoutFile]) -> Arrival | None:
    """When the bank pays, for a file of a bank's own format that says so."""
    known = [ARRIVALS[file.format] for file in files if file.format in ARRIVALS]
    return known[0](found.created_at) if known else None


def _settle(public_id: str, settle: Callable[..., object], said: str) -> AnyResponse:
    batch_id, actor_id = queries.batch_by_public_id(db.session(), public_id).id, current_user.id
    return decide(
        lambda uow: settle(uow, batch_id=batch_id, actor_id=actor_id),
        said=said,
        url=url_for("admin.batch", public_id=public_id),
    )


def _batch_url(batch_id: int | None) -> str:
    if batch_id is None:
        return url_for("admin.payouts")
    return url_for("admin.batch", public_id=queries.batch_by_id(db.session(), batch_id).public_id)
