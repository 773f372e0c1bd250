"""/admin/plans/drafts: a pay plan is written as a form or as JSON, and kept with whatever faults it has."""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin.plans.versions import NOTHING_HERE, as_file
from portal.admin.room import admin
from portal.commissions.plans import drafts as service
from portal.commissions.plans.check import Finding, company, document_check
from portal.commissions.plans.controls import Faults, controls_of
from portal.commissions.plans.forms import document_from, typed_from
from portal.commissions.plans.rows import with_row
from portal.commissions.plans.words import in_words
from portal.engine import Plan, Refused
from portal.extensions import db
from portal.kernel.errors import DomainError, NotYours
from portal.models import Pack, PlanDraft
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request

NOT_THE_PLAN = ("csrf_token", "act", "seen")
MOST_LETTERS = 200_000


@admin.get("/plans/drafts/<public_id>")
@requires(permissions.see_company)
def plan_draft(public_id: str) -> Response:
    """The form while it is written; what it says in words from then on."""
    draft = found_draft(public_id)
    if draft.state != "draft" or not may(permissions.manage_plans):
        return draft_in_words(draft)
    return _form(draft, typed_from(cast(dict[str, Any], draft.document)))


@admin.post("/plans/drafts/<public_id>")
@requires(permissions.manage_plans)
def write_plan_draft(public_id: str) -> AnyResponse:
    """Keep what was typed; a form with faults is kept too and comes back with each at its field."""
    draft, actor_id, act = found_draft(public_id), current_user.id, request.form.get("act", "save")
    typed = {name: text for name, text in request.form.items() if name not in NOT_THE_PLAN}
    document, problems = document_from(typed, cast(dict[str, Any], draft.document))
    if problems:
        return _form(draft, typed, problems=problems, status=422)
    changed = with_row(document, act)
    draft_id, seen = draft.id, request.form.get("seen", "")
    try:
        perform(
            lambda uow: (
                service.write_draft(uow, changed, draft_id=draft_id, actor_id=actor_id, seen=seen) and None
            )
        )
    except DomainError as refusal:
        return _form(found_draft(public_id), typed, refused=refusal.message, status=refusal.status)
    if act != "save":
        anchor = act.split(" ")[1].split(".")[0].split("#")[0] if " " in act else ""
        return redirect(url_for("admin.plan_draft", public_id=public_id, _anchor=f"part-{anchor}"), 303)
    if _faults(changed):
        return _form(found_draft(public_id), typed, status=422)
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.plan_draft", public_id=public_id), 303)


@admin.get("/plans/drafts/<public_id>/plan.json")
@requires(permissions.see_company)
def plan_draft_json(public_id: str) -> AnyResponse:
    """The document of a draft."""
    draft = found_draft(public_id)
    return as_file(draft.document, f"plan-draft-{draft.public_id}.json")


@admin.get("/plans/drafts/<public_id>/text")
@requires(permissions.manage_plans)
def plan_draft_text(public_id: str) -> Response:
    """The document as text, to be edited."""
    draft = found_draft(public_id)
    return _text(draft, json.dumps(draft.document, indent=2, ensure_ascii=False), [])


@admin.post("/plans/drafts/<public_id>/text")
@requires(permissions.manage_plans)
def write_plan_text(public_id: str) -> AnyResponse:
    """Keep a document that was written as JSON; a text that is none comes back as it was."""
    draft, actor_id, text = found_draft(public_id), current_user.id, request.form.get("text", "")
    try:
        document = json.loads(text[:MOST_LETTERS])
        if not isinstance(document, dict):
            raise ValueError
    except (ValueError, RecursionError) as error:
        where = f" {error}" if str(error) else ""
        return _text(draft, text, [_("This is not one JSON object.") + where], status=422)
    draft_id, seen = draft.id, request.form.get("seen", "")
    try:
        perform(
            lambda uow: (
                service.write_draft(uow, document, draft_id=draft_id, actor_id=actor_id, seen=seen) and None
            )
        )
    except DomainError as refusal:
        return _text(found_draft(public_id), text, [refusal.message], status=refusal.status)
    if faults := _faults(document):
        return _text(found_draft(public_id), text, faults, status=422)
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.plan_draft", public_id=public_id), 303)


def found_draft(public_id: str) -> PlanDraft:
    """The draft of an address."""
    found = db.session.scalar(select(PlanDraft).where(PlanDraft.public_id == public_id))
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found


def findings_of(draft: PlanDraft) -> list[Finding] | None:
    """What the plan check says; None while the draft has faults."""
    try:
        return document_check(cast(dict[str, Any], draft.document), company(db.session()))
    except Refused:
        return None


def draft_in_words(draft: PlanDraft, *, status: int = 200, refused: str = "") -> Response:
    """A draft that is not written on: what it says, and what is to be decided."""
    return show(
        "admin/plan_draft_read.html",
        "main",
        status=status,
        draft=draft,
        people=service.people_of(db.session(), draft),
        said=in_words(cast(dict[str, Any], draft.document)),
        findings=findings_of(draft),
        refused=refused,
        mine=draft.proposed_by == current_user.id,
        may_manage=may(permissions.manage_plans),
        may_approve=may(permissions.approve_plans),
    )


def _form(
    draft: PlanDraft,
    typed: dict[str, str],
    *,
    problems: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    document = cast(dict[str, Any], draft.document)
    faults = Faults.of(_faults(document), problems or {})
    packs = list(db.session.scalars(select(Pack.code).order_by(Pack.position)))
    parts = controls_of(typed, faults, packs=packs)
    count = faults.found + len(faults.left_over())
    if status == 422 and not refused:
        refused = ngettext("%(num)s thing is to be put right.", "%(num)s things are to be put right.", count)
        refused += " " + (
            _("Nothing was saved yet.") if problems else _("The draft is kept as you wrote it.")
        )
    return show(
        "admin/plan_draft.html",
        "main",
        status=status,
        draft=draft,
        parts=parts,
        count=count,
        left_over=faults.left_over(),
        findings=findings_of(draft),
        refused=refused,
        seen=service.mark(draft),
    )


def _text(draft: PlanDraft, text: str, faults: list[str], *, status: int = 200) -> Response:
    return show(
        "admin/plan_draft_text.html",
        "main",
        status=status,
        draft=draft,
        text=text,
        faults=faults,
        seen=service.mark(draft),
    )


def _faults(document: dict[str, Any]) -> list[str]:
    try:
        Plan.parse(document)
    except Refused as refused:
        return list(refused.faults)
    return []
