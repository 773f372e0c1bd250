"""/admin/runs/<id>: where a run came from, all runs of its cycle, computing it again, and its bundle."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.admin import words
from portal.admin.cycles import run_queries as queries
from portal.admin.room import admin
from portal.commissions import replay as replays
from portal.commissions.bundle import file_name, read_bundle
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.models import Cycle
from portal.store import perform
from portal.ui import show


@admin.get("/runs/<int:run_id>")
@requires(permissions.see_company)
def run(run_id: int) -> Response:
    """What a run was computed from and by, and what became of it."""
    found = queries.run(db.session(), run_id)
    return show(
        "admin/run.html",
        "main",
        run=found,
        cycle=db.session.get_one(Cycle, found.cycle_id),
        about=queries.about(db.session(), found),
        runs=queries.runs_of(db.session(), found.cycle_id),
        compared=queries.comparisons(db.session(), run_id),
        words=words,
    )


@admin.post("/runs/<int:run_id>/replay")
@requires(permissions.see_company)
def replay_run(run_id: int) -> AnyResponse:
    """Compute the run again from what was kept, compare everything, and write down what was found."""
    found, actor_id = queries.run(db.session(), run_id), current_user.id
    try:
        compared = replays.replay(db.session(), found)
    except LookupError:
        raise Conflict(_("This run holds no inputs, so it cannot be computed again.")) from None
    perform(lambda uow: replays.note(uow, compared, actor_id=actor_id))
    if compared.is_same:
        flash(_("Computed again: everything is the same."), "ok")
    else:
        flash(_("Computed again: something differs. It is listed below."), "error")
    return redirect(url_for("admin.run", run_id=run_id), 303)


@admin.get("/runs/<int:run_id>/bundle.zip")
@requires(permissions.see_company)
def run_bundle(run_id: int) -> AnyResponse:
    """The run as a file that anybody verifies offline, sent while it is written."""
    found = queries.run(db.session(), run_id)
    try:
        bundle = read_bundle(db.session(), found)
    except LookupError:
        raise Conflict(_("This run holds no inputs, so there is nothing to verify.")) from None
    response = Response(bundle.pieces(), mimetype="application/zip")
    name = file_name(run_id, bundle.manifest.cycle)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
