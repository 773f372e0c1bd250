"""/admin/plans/drafts/…: proposing a plan with its reasons, and the yes or no of a second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.plans.drafts import draft_in_words, findings_of, found_draft
from portal.admin.room import admin
from portal.commissions.plans import drafts as service
from portal.commissions.plans.starts import coming_versions
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.models import PlanDraft
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request


@admin.get("/plans/drafts/<public_id>/propose")
@requires(permissions.manage_plans)
def propose_plan(public_id: str) -> AnyResponse:
    """From when, why, and an answer to every warning."""
    draft = found_draft(public_id)
    if draft.state != "draft":
        return redirect(url_for("admin.plan_draft", public_id=public_id), 303)
    return _proposal(draft)


@admin.post("/plans/drafts/<public_id>/propose")
@requires(permissions.manage_plans)
@require_recent_password()
def send_plan_proposal(public_id: str) -> AnyResponse:
    """Ask for the second person's yes."""
    draft, actor_id, said = found_draft(public_id), current_user.id, dict(request.form.items())
    draft_id = draft.id
    try:
        starts_at = _start(said.get("starts_at", ""))
        proposal = service.Proposal(draft_id, starts_at, said)
        perform(lambda uow: service.propose(uow, proposal, zone=_zone(), actor_id=actor_id))
    except DomainError as refusal:
        return _proposal(found_draft(public_id), said=said, refusal=refusal)
    flash(_("Proposed. A second person has to agree before it goes live."), "ok")
    return redirect(url_for("admin.plan_draft", public_id=public_id), 303)


@admin.post("/plans/drafts/<public_id>/discard")
@requires(permissions.manage_plans)
def discard_plan_draft(public_id: str) -> AnyResponse:
    """Put a draft away."""
    return _decided(public_id, service.discard, _("Put away. It can still be read."))


@admin.post("/plans/drafts/<public_id>/withdraw")
@requires(permissions.manage_plans)
def withdraw_plan(public_id: str) -> AnyResponse:
    """Take a proposal back."""
    return _decided(public_id, service.withdraw, _("Taken back. The draft can be written on."))


@admin.post("/plans/drafts/<public_id>/approve")
@requires(permissions.approve_plans)
@require_recent_password()
def approve_plan(public_id: str) -> AnyResponse:
    """Agree; it becomes a version."""
    return _decided(public_id, service.approve, _("Agreed. It holds from its cycle on."), zone=_zone())


@admin.post("/plans/drafts/<public_id>/reject")
@requires(permissions.approve_plans)
@require_recent_password()
def reject_plan(public_id: str) -> AnyResponse:
    """Say no, and why."""
    decision = request.form.get("decision", "")
    return _decided(
        public_id, service.reject, _("Not agreed. The draft can be written on."), decision=decision
    )


def _decided(public_id: str, decide: Callable[..., Any], done: str, **more: Any) -> AnyResponse:
    draft_id, actor_id = found_draft(public_id).id, current_user.id
    try:
        perform(lambda uow: decide(uow, draft_id=draft_id, actor_id=actor_id, **more) and None)
    except DomainError as refusal:
        return draft_in_words(found_draft(public_id), status=refusal.status, refused=refusal.message)
    flash(done, "ok")
    return redirect(url_for("admin.plan_draft", public_id=public_id), 303)


def _proposal(
    draft: PlanDraft, *, said: dict[str, str] | None = None, refusal: DomainError | None = None
) -> Response:
    return show(
        "admin/plan_propose.html",
        "main",
        status=refusal.status if refusal else 200,
        draft=draft,
        starts=service.starts_ahead(db.session(), _zone()),
        taken={one.cycle.starts_at: one.version for one in coming_versions(db.session(), _zone())},
        findings=findings_of(draft),
        said=said or {},
        refusal=refusal,
    )


def _start(written: str) -> datetime:
    """One of the starts that are offered, so that nobody can choose the middle of a cycle."""
    offered = service.starts_ahead(db.session(), _zone())
    for start in offered:
        if start.isoformat() == written:
            return start
    raise BadInput(_("Please choose one of these starts."), field="starts_at")


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)
