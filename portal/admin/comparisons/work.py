"""/admin/comparisons/<id>/work: how far a comparison is, or why it could not be made."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.comparisons.words import STEPS
from portal.admin.room import admin
from portal.arrival.comparing import queries
from portal.arrival.comparing.working import subject
from portal.extensions import db
from portal.store import progress
from portal.ui import show


@admin.get("/comparisons/<public_id>/work")
@requires(permissions.see_company)
def comparison_work(public_id: str) -> AnyResponse:
    """The progress of the job; once it is done, the comparison."""
    found, cycle = queries.comparison_by_public_id(db.session(), public_id)
    if queries.is_made(found) and not found.problem:
        return redirect(url_for("admin.comparison", public_id=public_id), 303)
    return show(
        "admin/comparison_work.html",
        "work",
        found=found,
        cycle=cycle,
        progress=progress.read(subject(found)),
        steps_words=STEPS,
    )
