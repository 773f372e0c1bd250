"""/admin/plans/trials: a draft on past cycles, how far it is, and who would have got what."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask import Response, flash, redirect, stream_with_context, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import words
from portal.admin.plans.drafts import found_draft
from portal.admin.plans.versions import NOTHING_HERE
from portal.admin.room import admin
from portal.commissions import outcome
from portal.commissions.plans import trials as service
from portal.extensions import db
from portal.kernel.errors import DomainError, NotYours
from portal.models import PlanDraft, Trial
from portal.payouts.files import guarded
from portal.store import perform, progress
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

STEPS = {
    "cycles": (_l("Computing"), _l("Computing %(count)s cycles")),
    "people": (_l("Writing who gets what"), _l("Writing what %(count)s people get")),
}
STATES = {
    "waiting": (_l("Waiting"), "sun"),
    "running": (_l("Running"), "sun"),
    "done": (_l("Done"), "ok"),
    "cancelled": (_l("Cancelled"), ""),
    "failed": (_l("Failed"), "bad"),
}


@admin.get("/plans/drafts/<public_id>/try")
@requires(permissions.see_company)
def try_plan(public_id: str) -> Response:
    """From which cycle to which, and the trials there are."""
    return _asking(public_id)


@admin.post("/plans/drafts/<public_id>/try")
@requires(permissions.manage_plans)
def start_trial(public_id: str) -> AnyResponse:
    """Ask for a trial; a job computes it."""
    draft_id, actor_id = found_draft(public_id).id, current_user.id
    first, last = request.form.get("first", ""), request.form.get("last", "")
    try:
        made = perform(
            lambda uow: (
                service.request_trial(
                    uow, draft_id=draft_id, first=first, last=last, actor_id=actor_id
                ).public_id
            )
        )
    except DomainError as refusal:
        return _asking(public_id, refusal=refusal, wanted=(first, last))
    return redirect(url_for("admin.trial", public_id=made), 303)


@admin.get("/plans/trials/<public_id>")
@requires(permissions.see_company)
def trial(public_id: str) -> Response:
    """How far a trial is, or what it came to."""
    session, found = db.session(), _found(public_id)
    cycles = outcome.cycle_sums(session, found)
    asked, page = request.args.get("who", "").strip(), number(request.args, "page") or 0
    order = request.args.get("order", "most")
    people = outcome.people(session, found, asked=asked, order=order, page=min(page, 100_000))
    return show(
        "admin/plan_trial.html",
        "work",
        trial=found,
        draft=session.get_one(PlanDraft, found.plan_draft_id),
        under_way=found.state in service.WAITING,
        state=STATES[found.state],
        progress=progress.read(service.subject(found)),
        steps_words=STEPS,
        cycles=cycles,
        before=outcome.all_sums([one.before for one in cycles]),
        after=outcome.all_sums([one.after for one in cycles]),
        bands=outcome.bands(session, found) if found.state == "done" else [],
        people=people[: outcome.PAGE],
        more=len(people) > outcome.PAGE,
        asked=asked,
        order=order if order in outcome.ORDERS else "most",
        page=page,
        words=words,
        may_manage=may(permissions.manage_plans),
    )


@admin.post("/plans/trials/<public_id>/cancel")
@requires(permissions.manage_plans)
def cancel_trial(public_id: str) -> AnyResponse:
    """Stop a trial before its next cycle."""
    trial_id, actor_id = _found(public_id).id, current_user.id
    try:
        perform(lambda uow: service.cancel(uow, trial_id=trial_id, actor_id=actor_id))
    except DomainError as refusal:
        flash(refusal.message, "bad")
    return redirect(url_for("admin.trial", public_id=public_id), 303)


@admin.get("/plans/trials/<public_id>/people.csv")
@requires(permissions.see_company)
def trial_csv(public_id: str) -> AnyResponse:
    """Everybody with what they got and would have got."""
    found = _found(public_id)
    response = Response(stream_with_context(_csv(outcome.everybody(db.session(), found))))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="trial-{public_id}.csv"'
    return response


def _asking(
    public_id: str, *, refusal: DomainError | None = None, wanted: tuple[str, str] = ("", "")
) -> Response:
    draft = found_draft(public_id)
    return show(
        "admin/plan_try.html",
        "main",
        status=refusal.status if refusal else 200,
        draft=draft,
        cycles=[name for _id, name in service.cycles_to_try(db.session())],
        trials=outcome.trials_of(db.session(), draft.id),
        states=STATES,
        refusal=refusal,
        wanted=wanted,
        may_manage=may(permissions.manage_plans),
    )


def _csv(rows: Iterator[outcome.Moved]) -> Iterator[str]:
    yield _row("code", "name", "before", "after", "change")
    for row in rows:
        yield _row(row.code, guarded(row.name), *map(_plain, (row.before, row.after, row.change)))


def _row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _plain(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _found(public_id: str) -> Trial:
    found = db.session.scalar(select(Trial).where(Trial.public_id == public_id))
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found
