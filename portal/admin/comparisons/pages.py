"""/admin/comparisons: another system's lines of a cycle beside ours, difference by difference."""

from __future__ import annotations

from typing import Any, cast

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import words
from portal.admin.comparisons import words as comparison_words
from portal.admin.comparisons.files import chosen
from portal.admin.comparisons.forms import CompareForm, SettleForm
from portal.admin.room import admin
from portal.arrival.comparing import queries, service
from portal.commissions.queries import cycle_named
from portal.engine import KINDS
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.store import perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50
MOST_BYTES = 64 * 1024 * 1024


@admin.get("/comparisons")
@requires(permissions.see_company)
def comparisons() -> Response:
    """All comparisons, and the form for a new one."""
    return _list(CompareForm(formdata=None))


@admin.post("/comparisons")
@requires(permissions.manage_cycles)
def compare_cycle() -> AnyResponse:
    """Ask for a file to be compared with what we found for a cycle; a job does it."""
    request.max_content_length = MOST_BYTES
    form, actor_id = CompareForm(), current_user.id
    form.offer(queries.comparable(db.session()))
    if not form.validate_on_submit():
        return _list(form, status=422)
    found = cycle_named(db.session(), form.cycle.data)
    assert found is not None, "the form offers cycles that are there"
    cycle_id = found.id
    upload = service.Upload((form.file.data.filename or "")[:100], form.file.data.stream.read(), {})
    try:
        made = perform(
            lambda uow: (
                service.request_comparison(uow, upload, cycle_id=cycle_id, actor_id=actor_id).public_id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _list(form, status=refusal.status)
    return redirect(url_for("admin.comparison_work", public_id=made), 303)


@admin.get("/comparisons/<public_id>")
@requires(permissions.see_company)
def comparison(public_id: str) -> AnyResponse:
    """One comparison: both sums, the reasons, and every difference."""
    session, skip = db.session(), number(request.args, "skip") or 0
    found, cycle = queries.comparison_by_public_id(session, public_id)
    if not queries.is_made(found):
        return redirect(url_for("admin.comparison_work", public_id=public_id), 303)
    form, wanted = chosen(found.id, list(cast(dict[str, Any], found.totals["by_reason"])))
    rows = queries.differences(session, found.id, wanted, skip=skip, limit=ROWS_A_PAGE)
    count, cents = queries.count_of(session, found.id, wanted)
    return show(
        "admin/comparison.html",
        "list",
        status=200 if form.validate() else 422,
        found=found,
        cycle=cycle,
        totals=found.totals,
        form=form,
        rows=rows,
        count=count,
        cents=cents,
        skip=skip,
        page=ROWS_A_PAGE,
        kept={name: value for name, value in request.args.items() if name != "skip" and value},
        kinds=KINDS,
        may_change=may(permissions.manage_cycles),
        words=words,
        reasons=comparison_words,
    )


@admin.post("/comparisons/<public_id>/kinds")
@requires(permissions.manage_cycles)
def call_kinds(public_id: str) -> AnyResponse:
    """Say what their kinds are called here, and ask to compare again."""
    found, actor_id = queries.comparison_by_public_id(db.session(), public_id)[0], current_user.id
    comparison_id, named = found.id, list(cast(dict[str, str], found.totals["kinds"]))
    kinds = {name: request.form.get(f"kind-{at}", "") for at, name in enumerate(named)}
    perform(
        lambda uow: (
            service.call_kinds(uow, comparison_id=comparison_id, kinds=kinds, actor_id=actor_id).public_id
        )
    )
    return redirect(url_for("admin.comparison_work", public_id=public_id), 303)


@admin.get("/comparisons/<public_id>/<int:line_id>")
@requires(permissions.see_company)
def comparison_line(public_id: str, line_id: int) -> Response:
    """One difference with all that is known about it."""
    return _line(public_id, line_id, SettleForm(formdata=None))


@admin.post("/comparisons/<public_id>/<int:line_id>")
@requires(permissions.manage_cycles)
def settle_difference(public_id: str, line_id: int) -> AnyResponse:
    """A person says what becomes of it."""
    form, actor_id = SettleForm(), current_user.id
    found, _cycle = queries.comparison_by_public_id(db.session(), public_id)
    queries.difference(db.session(), found.id, line_id)
    if not form.validate_on_submit():
        return _line(public_id, line_id, form, status=422)
    note = form.note.data or ""
    try:
        perform(lambda uow: service.settle(uow, line_id=line_id, note=note, actor_id=actor_id).id)
    except DomainError as refusal:
        form.refuse(refusal)
        return _line(public_id, line_id, form, status=refusal.status)
    flash(_("The difference is settled."), "ok")
    return redirect(url_for("admin.comparison_line", public_id=public_id, line_id=line_id), 303)


def _list(form: CompareForm, *, status: int = 200) -> Response:
    names = queries.comparable(db.session())
    form.offer(names)
    rows = queries.comparisons(db.session())
    may_make = may(permissions.manage_cycles)
    return show(
        "admin/comparisons.html", "main", status=status, form=form, names=names, rows=rows, may_make=may_make
    )


def _line(public_id: str, line_id: int, form: SettleForm, *, status: int = 200) -> Response:
    found, cycle = queries.comparison_by_public_id(db.session(), public_id)
    return show(
        "admin/comparison_line.html",
        "main",
        status=status,
        found=found,
        cycle=cycle,
        one=queries.difference(db.session(), found.id, line_id),
        form=form,
        may_change=may(permissions.manage_cycles),
        words=words,
        reasons=comparison_words,
    )
