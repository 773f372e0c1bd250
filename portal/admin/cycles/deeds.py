"""What is done about a cycle: preview, give a reason, approve, close, pay."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.cycles.cycle import found, limits, page
from portal.admin.room import admin
from portal.commissions import approving, comparing, cycles, undo
from portal.commissions.approving import Answer
from portal.kernel.errors import DomainError
from portal.payouts import company
from portal.store import UnitOfWork, perform
from portal.ui.addresses import number
from portal.ui.htmx import request


@admin.post("/cycles/<name>/preview")
@requires(permissions.manage_cycles)
def preview_cycle(name: str) -> AnyResponse:
    """Ask for a preview; a job makes it, and asking twice makes one."""
    cycle_id, actor_id = found(name).id, current_user.id

    def work(uow: UnitOfWork) -> None:
        cycles.request_preview(uow, cycle_id=cycle_id, actor_id=actor_id)

    return after(name, work, "")


@admin.post("/cycles/<name>/reasons/<code>")
@requires(permissions.approve_cycles)
def write_reason(name: str, code: str) -> AnyResponse:
    """Keep why a figure of this run is let pass."""
    cycle_id, actor_id, allowed = found(name).id, current_user.id, limits()
    text = request.form.get("reason", "")
    answer = Answer(number(request.form, "run") or 0, code, request.form.get("figure", ""), text)

    def work(uow: UnitOfWork) -> None:
        approving.write_reason(uow, cycle_id=cycle_id, answer=answer, actor_id=actor_id, limits=allowed)

    return after(name, work, _("Your reason is kept."), answer=(code, text))


@admin.post("/cycles/<name>/approve")
@requires(permissions.approve_cycles)
@require_recent_password()
def approve_cycle(name: str) -> AnyResponse:
    """Say yes to the run that was on the screen; the second yes closes the cycle where that was asked for."""
    cycle_id, actor_id, allowed = found(name).id, current_user.id, limits()
    run_id, closes = number(request.form, "run") or 0, "close" in request.form

    def work(uow: UnitOfWork) -> None:
        count = approving.approve(uow, cycle_id=cycle_id, run_id=run_id, actor_id=actor_id, limits=allowed)
        if closes and count >= cycles.APPROVALS_NEEDED:
            cycles.request_close(uow, cycle_id=cycle_id, actor_id=actor_id)

    return after(name, work, _("You approved this preview."))


@admin.post("/cycles/<name>/close")
@requires(permissions.approve_cycles)
@require_recent_password()
def close_cycle(name: str) -> AnyResponse:
    """Ask for the close of an approved cycle; a job does it, and asking twice does it once."""
    cycle_id, actor_id, allowed = found(name).id, current_user.id, limits()

    def work(uow: UnitOfWork) -> None:
        approving.request_close(uow, cycle_id=cycle_id, actor_id=actor_id, limits=allowed)

    return after(name, work, "")


@admin.post("/cycles/<name>/undo")
@requires(permissions.approve_cycles)
@require_recent_password()
def undo_cycle(name: str) -> AnyResponse:
    """Ask for a close to be undone while its window is open; a job books the reversing entries."""
    cycle_id, actor_id = found(name).id, current_user.id
    reason = " ".join(request.form.get("reason", "").split())

    def work(uow: UnitOfWork) -> None:
        undo.request_undo(uow, cycle_id=cycle_id, actor_id=actor_id, reason=reason)

    return after(name, work, "", answer=("undo", reason))


@admin.post("/cycles/<name>/again")
@requires(permissions.manage_cycles)
def compute_cycle_again(name: str) -> AnyResponse:
    """Ask for a closed cycle to be computed again from the facts of today; it books nothing."""
    cycle_id, actor_id = found(name).id, current_user.id

    def work(uow: UnitOfWork) -> None:
        comparing.request_comparison(uow, cycle_id=cycle_id, actor_id=actor_id)

    return after(name, work, "")


@admin.post("/cycles/<name>/pay")
@requires(permissions.manage_payouts)
@require_recent_password()
def pay_cycle(name: str) -> AnyResponse:
    """Find everybody who can be paid; their withdrawals are made on the next page and approved by another."""
    cycle_id, actor_id = found(name).id, current_user.id
    try:
        public_id = perform(lambda uow: _selected(uow, cycle_id, actor_id))
    except DomainError as refusal:
        return page(name, status=refusal.status, refused=refusal.message)
    if public_id is None:
        flash(_("Nobody can be paid. The cycle is settled; what is left is paid with a later one."), "ok")
        return redirect(url_for("admin.cycle", name=name), 303)
    return redirect(url_for("admin.payout_selection", public_id=public_id), 303)


def after(
    name: str, work: Callable[[UnitOfWork], None], done: str, *, answer: tuple[str, str] = ("", "")
) -> AnyResponse:
    """Do it and show the cycle again; a refusal stands on the page, which is fresh."""
    try:
        perform(work)
    except DomainError as refusal:
        return page(name, status=refusal.status, refused=refusal.message, answer=answer)
    if done:
        flash(done, "ok")
    return redirect(url_for("admin.cycle", name=name), 303)


def _selected(uow: UnitOfWork, cycle_id: int, actor_id: int) -> str | None:
    made = company.select_for_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    return made.public_id if made else None
