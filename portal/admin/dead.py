"""/admin/dead: events, reactions and mails that were given up, in groups; tried again one or all."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.admin import dead_letters
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.store import perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

KINDS = {"event": _l("Events"), "task": _l("Reactions"), "mail": _l("Mails")}


@admin.get("/dead")
@requires(permissions.see_traffic)
def dead() -> Response:
    """What was given up of one kind, in groups, and the things of a group that was chosen."""
    session = db.session()
    counts = dead_letters.counts(session)
    first = next((name for name, found in counts.items() if found), "event")
    kind = dead_letters.kind_of(request.args.get("kind") or first)
    key = request.args.get("group", "")
    rows = dead_letters.things(session, kind, key, before=number(request.args, "before") or 0)
    found = dead_letters.groups(session, kind)
    return show(
        "admin/dead.html",
        "main",
        kinds=KINDS,
        kind=kind.name,
        counts=counts,
        groups=found,
        group=key,
        rows=rows,
        vendors=dead_letters.vendors_of(session, [*rows, *(each.example for each in found)]),
        more=rows[-1].id if len(rows) == dead_letters.ROWS_A_PAGE else 0,
    )


@admin.post("/dead/<kind>/<int:row_id>")
@requires(permissions.see_traffic)
def retry_dead(kind: str, row_id: int) -> AnyResponse:
    """Try one thing again."""
    found, actor_id = dead_letters.kind_of(kind), current_user.id
    try:
        perform(lambda uow: dead_letters.requeue(uow, kind=found, row_id=row_id, actor_id=actor_id))
        flash(_("It is tried again."), "ok")
    except Conflict as refusal:
        flash(refusal.message, "error")
    return redirect(url_for("admin.dead", kind=kind, group=request.form.get("group", "")), 303)


@admin.post("/dead/<kind>")
@requires(permissions.see_traffic)
def retry_dead_group(kind: str) -> AnyResponse:
    """Try all of a group again."""
    found, key, actor_id = dead_letters.kind_of(kind), request.form.get("group", ""), current_user.id
    again = perform(lambda uow: dead_letters.requeue_group(uow, kind=found, key=key, actor_id=actor_id))
    flash(ngettext("%(num)s thing is tried again.", "%(num)s things are tried again.", again), "ok")
    return redirect(url_for("admin.dead", kind=kind), 303)
