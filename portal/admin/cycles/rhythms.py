"""/admin/cycles/rhythm: how long cycles are, what follows when, and who decided it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, Length

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin import words
from portal.admin.cycles.rhythm_words import LENGTHS, STATES, begins, changes
from portal.admin.plans import start_words as plan_start_words
from portal.admin.room import admin
from portal.commissions import rhythms as service
from portal.commissions.plans.versions import plan_at
from portal.commissions.queries import open_cycle
from portal.commissions.rhythms import LONGEST_REASON, Beginning, Wish
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.models.cycle import RHYTHMS
from portal.store import perform
from portal.ui import show
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request


class RhythmForm(RefusingForm):
    """How long, from which cycle on, and why."""

    rhythm = HiddenField(validators=[AnyOf(RHYTHMS)])
    first_day = SelectField(_l("From the cycle that begins on"), validate_choice=False)
    reason = TextAreaField(_l("Reason"), validators=[Length(max=LONGEST_REASON)])

    def offer(self, beginnings: list[Beginning]) -> RhythmForm:
        """With the cycles from which it can begin."""
        self.first_day.choices = [
            SelectChoice(value=one.first_day.isoformat(), label=begins(one.cycle)) for one in beginnings
        ]
        return self

    def wish(self, beginnings: list[Beginning]) -> Wish:
        """What the form asks for; raises `BadInput` for a day that is not offered."""
        for one in beginnings:
            if one.first_day.isoformat() == self.first_day.data:
                return Wish(str(self.rhythm.data), one.first_day, self.reason.data or "")
        raise BadInput(_("Please choose one of these starts."), field="first_day")


@admin.get("/cycles/rhythm")
@requires(permissions.manage_cycles)
def rhythm() -> Response:
    """What holds, what follows, and the form for one length, `to` in the address."""
    wanted, session = request.args.get("to", ""), db.session()
    coming, holds = service.coming(session), service.present_rhythm(session)
    usual = coming[0].rhythm if coming else next(other for other in RHYTHMS if other != holds)
    chosen = wanted if wanted in RHYTHMS else usual
    return _page(RhythmForm(formdata=None, rhythm=chosen), chosen)


@admin.post("/cycles/rhythm")
@requires(permissions.manage_cycles)
@require_recent_password()
def decide_rhythm() -> AnyResponse:
    """Decide; what was decided before and is not in force is replaced."""
    form, actor_id = RhythmForm(), current_user.id
    if form.rhythm.data not in RHYTHMS:
        raise BadInput(_("Please choose days, weeks or months."))
    if not form.validate_on_submit():
        return _page(form, form.rhythm.data, status=422)
    try:
        wish = form.wish(service.beginnings(db.session(), form.rhythm.data, _zone()))
        perform(lambda uow: service.decide_rhythm(uow, wish, zone=_zone(), actor_id=actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, form.rhythm.data, status=refusal.status)
    flash(_("Decided. Cycles that have begun stay as they are."), "ok")
    return redirect(url_for("admin.rhythm"), 303)


def _page(form: RhythmForm, chosen: str, *, status: int = 200) -> Response:
    session = db.session()
    cycle, beginnings = open_cycle(session), service.beginnings(session, chosen, _zone())
    plan = plan_at(session, beginnings[0].cycle.starts_at) if beginnings else None
    return show(
        "admin/rhythm.html",
        "rhythm",
        status=status,
        form=form.offer(beginnings),
        cycle=cycle,
        holds=service.present_rhythm(session),
        follows=service.what_follows(session, _zone()),
        chosen=chosen,
        changes=changes(cycle, beginnings[0].cycle, plan.document) if cycle and plan else [],
        plans=plan_start_words.of_all(session, _zone()),
        plans_then=_plans_then(form, beginnings, chosen) if beginnings else {},
        disagrees=service.plan_disagrees(dict(plan.document), chosen) if plan else "",
        plan=plan,
        decisions=service.decisions(session),
        words=words,
        lengths=LENGTHS,
        states=STATES,
    )


def _plans_then(form: RhythmForm, beginnings: list[Beginning], chosen: str) -> dict[int, str]:
    """What becomes of plans that were agreed to, from the day that is chosen; the first one is by itself."""
    offered = {one.first_day.isoformat(): one.first_day for one in beginnings}
    first_day = offered.get(str(form.first_day.data), beginnings[0].first_day)
    return plan_start_words.of_all(db.session(), _zone(), wish=Wish(chosen, first_day, ""))


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)
