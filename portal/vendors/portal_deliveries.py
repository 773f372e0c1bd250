"""Deliveries: what came, what became of it, once more; and what keeps events from taking effect."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from portal.access import permissions
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.kernel.vendor_events import WITHDRAWN
from portal.statements.lines import TYPES
from portal.store import perform
from portal.store.inbox import give_up, vendor_source
from portal.ui import show
from portal.ui.addresses import beginning_of, end_of, number
from portal.ui.htmx import request
from portal.vendors import portal_queries as queries
from portal.vendors import portal_words as words
from portal.vendors import service
from portal.vendors.portal_bodies import readable
from portal.vendors.portal_room import Place, on_both

ROWS_A_PAGE = 50


class DeliveryFilter(FlaskForm):
    """Filters that stay in the address."""

    class Meta:
        csrf = False

    state = SelectField(
        choices=[SelectChoice(value=name, label=label) for name, label in words.FILTERS.items()],
        validators=[Optional()],
    )
    kind = SelectField(validate_choice=False, validators=[Optional(), Length(max=64)])
    ref = StringField(validators=[Length(max=255)])
    day = DateField(validators=[Optional()])

    def wanted(self) -> queries.Wanted:
        """What was asked for; only for a form that validates."""
        return queries.Wanted(
            state=self.state.data or "",
            kind=self.kind.data or "",
            ref=(self.ref.data or "").strip(),
            since=beginning_of(self.day.data),
            until=end_of(self.day.data),
        )


@on_both("/deliveries", company=permissions.settle_statements)
def deliveries(place: Place) -> Response:
    """Every event, newest first, with filters by state, type, contract and day."""
    form = DeliveryFilter(request.args)
    kinds = [SelectChoice(value=kind, label=kind) for kind in ("customer.registered", *TYPES, WITHDRAWN)]
    form.kind.choices = [SelectChoice(value="", label=_("All types")), *kinds]
    right = form.validate()
    wanted = form.wanted() if right else queries.Wanted()
    before = number(request.args, "before") or 0
    rows = queries.deliveries(db.session(), place.vendor.id, wanted, before=before, limit=ROWS_A_PAGE)
    return show(
        "vendors/portal/deliveries.html",
        "list",
        status=200 if right else 422,
        form=form,
        rows=rows,
        more=rows[-1].id if len(rows) == ROWS_A_PAGE else 0,
        kept={name: value for name, value in request.args.items() if name != "before" and value},
        **shared(place),
    )


@on_both("/deliveries/<int:inbox_id>", company=permissions.settle_statements)
def delivery(place: Place, inbox_id: int) -> Response:
    """One event with its body, and what came of it; a tick asks again."""
    row = queries.delivery(db.session(), place.vendor.id, inbox_id)
    body = readable(row.body)
    return show("vendors/portal/delivery.html", "live", row=row, body=body, **shared(place))


@on_both("/deliveries/<int:inbox_id>/replay", post=True)
def replay_delivery(place: Place, inbox_id: int) -> AnyResponse:
    """Have an event tried again; what was done once is not done twice."""
    vendor_id, actor_id = place.vendor.id, current_user.id
    url = place.url("delivery", inbox_id=inbox_id)
    try:
        perform(lambda uow: service.replay(uow, vendor_id=vendor_id, inbox_id=inbox_id, actor_id=actor_id))
    except Conflict as refusal:
        flash(refusal.message, "error")
    else:
        flash(_("The event is tried again."), "ok")
    return redirect(url, 303)


@on_both("/deliveries/<int:inbox_id>/end", post=True)
def end_delivery(place: Place, inbox_id: int) -> AnyResponse:
    """Have an event tried no more; one that took effect meanwhile is answered with 409."""
    source, actor_id = vendor_source(place.vendor.id), current_user.id
    perform(lambda uow: give_up(uow, source=source, inbox_id=inbox_id, actor_id=actor_id))
    flash(_("The event is not tried any more. Send what is right under a new id."), "ok")
    return redirect(place.url("delivery", inbox_id=inbox_id), 303)


@on_both("/errors", company=permissions.settle_statements)
def troubles(place: Place) -> Response:
    """What keeps events from taking effect, grouped by what is wrong."""
    groups = queries.troubles(db.session(), place.vendor.id)
    return show("vendors/portal/troubles.html", "main", groups=groups, **shared(place))


def shared(place: Place) -> dict[str, Any]:
    """What every page of these rooms needs."""
    return {"place": place, "vendor": place.vendor, "words": words, "permissions": permissions}
