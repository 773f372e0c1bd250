"""What the jobs gave up, and who registered twice: put right by a hand."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy import update
from werkzeug.wrappers import Response

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.room import admin
from portal.members.service import settle_duplicate
from portal.models import Inbox, Task
from portal.store import UnitOfWork, perform


@admin.post("/given-up/retry")
@requires(permissions.see_traffic)
def retry_given_up() -> Response:
    """Let everything that was given up be tried again; what was done once stays done."""
    actor_id = current_user.id
    number = perform(lambda uow: try_again(uow, actor_id=actor_id))
    flash(ngettext("%(num)s thing is tried again.", "%(num)s things are tried again.", number), "ok")
    return redirect(url_for("admin.overview"), 303)


@admin.post("/registrations/<public_id>/settled")
@requires(permissions.manage_payouts)
def settle_registration(public_id: str) -> Response:
    """Note that somebody who paid twice has the money back."""
    actor_id = current_user.id
    perform(lambda uow: settle_duplicate(uow, public_id=public_id, actor_id=actor_id))
    flash(_("Noted. It is off the list."), "ok")
    return redirect(url_for("admin.overview"), 303)


def try_again(uow: UnitOfWork, *, actor_id: int) -> int:
    """Make dead messages and reactions due now, with all their tries; how many."""
    number = 0
    for model in (Inbox, Task):
        statement = update(model).where(model.state == "dead")
        again = statement.values(state="retry", attempts=0, next_at=uow.clock()).returning(model.id)
        number += len(uow.session.scalars(again).all())
    uow.note("given-up.retry", thing="inbox and task", thing_id=None, actor_id=actor_id, number=number)
    uow.published = True
    return number
