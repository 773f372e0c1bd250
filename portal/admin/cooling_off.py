"""/admin/cooling-off: for how long a buyer may call a contract off, by state, age and kind of service."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.models import Service
from portal.sales.cooling_off import SOLAR, STATES, Rule, add_rule, rules
from portal.store import perform
from portal.ui import show
from portal.ui.fields import RefusingForm, chosen_from


class RuleForm(RefusingForm):
    """A rule that begins today or later."""

    state = SelectField(_l("State"))
    service_unit = SelectField(_l("Services paid by"))
    from_age = IntegerField(_l("Buyers from this age"), validators=[InputRequired()], default=0)
    business_days = IntegerField(_l("Business days"), validators=[InputRequired()], default=3)
    valid_from = DateField(_l("From the day"), validators=[InputRequired()])
    source = StringField(_l("Law or source"), validators=[InputRequired(), Length(max=200)])

    def fill(self) -> RuleForm:
        """With the states there are, and the units of the services there are."""
        units = db.session.scalars(select(Service.unit).distinct().order_by(Service.unit)).all()
        self.state.choices = _choices(_("All states"), sorted(STATES))
        self.service_unit.choices = _choices(_("All services"), sorted({*units, SOLAR}))
        return self

    def rule(self) -> Rule:
        """What the form says."""
        names = ("state", "service_unit", "from_age", "business_days", "valid_from", "source")
        return Rule(**{name: self[name].data for name in names})


@admin.get("/cooling-off")
@requires(permissions.see_company)
def cooling_off() -> Response:
    """The rules, and the form for a new one."""
    return _page(RuleForm(formdata=None, valid_from=utc_now().date()).fill())


@admin.post("/cooling-off")
@requires(permissions.manage_vendors)
@require_recent_password()
def add_cooling_off() -> AnyResponse:
    """Add a rule; what is there stays as it is."""
    form, actor_id = RuleForm().fill(), current_user.id
    if not form.validate_on_submit():
        return _page(form, status=422)
    rule = form.rule()
    try:
        perform(lambda uow: add_rule(uow, rule, actor_id=actor_id) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("The rule is there. It counts for contracts signed from its day on."), "ok")
    return redirect(url_for("admin.cooling_off"), 303)


def _choices(everything: str, values: Iterable[str]) -> list[SelectChoice]:
    return chosen_from({"": everything, **{value: value for value in values}})


def _page(form: RuleForm, *, status: int = 200) -> Response:
    may_add = may(permissions.manage_vendors)
    found = rules(db.session())
    return show("admin/cooling_off.html", "rules", status=status, form=form, rules=found, may_add=may_add)
