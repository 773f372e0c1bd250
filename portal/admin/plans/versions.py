"""/admin/plans: the versions of the pay plan, one in words, and two beside each other."""

from __future__ import annotations

import json
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Response, current_app, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin.plans import start_words as plan_start_words
from portal.admin.room import admin
from portal.commissions.plans import drafts as service
from portal.commissions.plans.versions import versions
from portal.commissions.plans.words import differences, in_words
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.models import PlanDraft, PlanVersion
from portal.store import perform
from portal.ui import show
from portal.ui.addresses import DIGITS
from portal.ui.htmx import request

NOTHING_HERE = "There is nothing here under this address."


@admin.get("/plans")
@requires(permissions.see_company)
def plans() -> Response:
    """All versions, and the drafts that are on their way."""
    session = db.session()
    found = session.scalars(select(PlanDraft).order_by(PlanDraft.changed_at.desc()).limit(50)).all()
    return show(
        "admin/plans.html",
        "main",
        rows=versions(session),
        later=plan_start_words.of_all(session, _zone()),
        drafts=[draft for draft in found if draft.state in ("draft", "proposed")],
        past=[draft for draft in found if draft.state not in ("draft", "proposed")],
        may_manage=may(permissions.manage_plans),
        choices=choices(),
    )


@admin.get("/plans/<int:version_id>")
@requires(permissions.see_company)
def plan_version(version_id: int) -> Response:
    """One version in words."""
    found = _version(version_id)
    row = next(row for row in versions(db.session()) if row.version.id == found.id)
    return show(
        "admin/plan_version.html",
        "main",
        row=row,
        later=plan_start_words.of_all(db.session(), _zone()).get(found.id, ""),
        said=in_words(found.document),
        may_manage=may(permissions.manage_plans),
    )


@admin.get("/plans/<int:version_id>/plan.json")
@requires(permissions.see_company)
def plan_version_json(version_id: int) -> AnyResponse:
    """The document of one version."""
    return as_file(_version(version_id).document, f"plan-{version_id}.json")


@admin.post("/plans/<int:version_id>/draft")
@requires(permissions.manage_plans)
def make_plan_draft(version_id: int) -> AnyResponse:
    """Begin a draft from a version."""
    actor_id, version = current_user.id, _version(version_id).id
    made = perform(lambda uow: service.make_draft(uow, version_id=version, actor_id=actor_id).public_id)
    return redirect(url_for("admin.plan_draft", public_id=made), 303)


@admin.get("/plans/compare")
@requires(permissions.see_company)
def compare_plans() -> Response:
    """Two versions or drafts, field by field."""
    wanted = [request.args.get(side, "") for side in ("before", "after")]
    named = [_named(key) for key in wanted]
    before, after = named
    rows = differences(before[1], after[1]) if before and after else []
    return show(
        "admin/plan_compare.html",
        "main",
        choices=choices(),
        wanted=wanted,
        before=before,
        after=after,
        rows=rows,
    )


def choices() -> list[tuple[str, str]]:
    """Everything that can be compared: its key in the address and what it is called."""
    session = db.session()
    found = [(f"version-{row.version.id}", plan_start_words.name(row.version)) for row in versions(session)]
    on_their_way = select(PlanDraft).where(PlanDraft.state != "live").order_by(PlanDraft.changed_at.desc())
    for draft in session.scalars(on_their_way.limit(50)):
        found.append((f"draft-{draft.public_id}", _("Draft %(name)s", name=draft.name)))
    return found


def as_file(document: object, name: str) -> AnyResponse:
    """A document as a download."""
    response = Response(
        json.dumps(document, indent=2, ensure_ascii=False) + "\n", mimetype="application/json"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _named(key: str) -> tuple[str, dict[str, Any]] | None:
    kind, _dash, which = key.partition("-")
    if kind == "version" and which.isdecimal() and len(which) <= DIGITS:
        version = db.session.get(PlanVersion, int(which))
        return (plan_start_words.name(version), version.document) if version else None
    draft = (
        db.session.scalar(select(PlanDraft).where(PlanDraft.public_id == which)) if kind == "draft" else None
    )
    return (_("Draft %(name)s", name=draft.name), cast(dict[str, Any], draft.document)) if draft else None


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)


def _version(version_id: int) -> PlanVersion:
    found = db.session.get(PlanVersion, version_id)
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found
