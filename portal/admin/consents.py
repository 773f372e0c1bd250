"""/admin/consents: the texts that people agree to, and who must not be contacted."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.leads import consents as service
from portal.leads.stopping import lift_stop, stop_address
from portal.models import ConsentText, ContactStop
from portal.store import perform
from portal.ui import show
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request
from portal.ui.people import stripped

PURPOSES = {service.SIGNUP: _l("Signing up"), service.CONTACT: _l("Being contacted")}
NEWEST = 50


class TextForm(RefusingForm):
    """A new version of a text."""

    purpose = SelectField(_l("For"))
    version = StringField(_l("Name of the version"), filters=[stripped], validators=[InputRequired()])
    body = TextAreaField(_l("The text"), validators=[InputRequired(_l("Please write the text."))])

    def offer(self) -> TextForm:
        """With the purposes there are."""
        self.purpose.choices = [SelectChoice(value=code, label=str(name)) for code, name in PURPOSES.items()]
        return self


class StopForm(RefusingForm):
    """An address or a number, and what the person said."""

    reached = StringField(
        _l("E-mail or phone"),
        filters=[stripped],
        validators=[InputRequired(_l("Please write an e-mail or a phone number."))],
    )
    reason = StringField(_l("What did they say"), filters=[stripped], validators=[Length(max=200)])


@admin.get("/consents")
@requires(permissions.manage_consents)
def consents() -> Response:
    """Every version of every text, newest first, and the form for a new one."""
    return _page(TextForm(formdata=None).offer())


@admin.post("/consents")
@requires(permissions.manage_consents)
def publish_consent() -> AnyResponse:
    """Publish a new version; whoever signs up from now on reads it."""
    form, actor_id = TextForm().offer(), current_user.id
    if not form.validate_on_submit():
        return _page(form, status=422)
    words = {"version": form.version.data, "purpose": form.purpose.data, "body": form.body.data}
    try:
        perform(lambda uow: service.publish_text(uow, **words, actor_id=actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("Published. Earlier agreements keep the words that were read."), "ok")
    return redirect(url_for("admin.consents"), 303)


@admin.get("/consents/stops")
@requires(permissions.manage_consents)
def contact_stops() -> Response:
    """The newest stops, known by their marks alone, and the form for one."""
    return _stops_page(StopForm(formdata=None))


@admin.post("/consents/stops")
@requires(permissions.manage_consents)
def change_stop() -> AnyResponse:
    """Stop an address or a number, or let it be contacted again because the person asked for that."""
    form, actor_id, lifts = StopForm(), current_user.id, "lift" in request.form
    if not form.validate_on_submit():
        return _stops_page(form, status=422)
    named = {"reached": form.reached.data, "reason": form.reason.data or "", "actor_id": actor_id}
    try:
        changed = perform(lambda uow: (lift_stop if lifts else stop_address)(uow, **named))
    except BadInput as refusal:
        form.reached.errors = [refusal.message]
        return _stops_page(form, status=422)
    done = _("It may be contacted again.") if lifts else _("Nobody may contact it any more.")
    flash(done if changed else _("That was so already."), "ok")
    return redirect(url_for("admin.contact_stops"), 303)


def _page(form: TextForm, *, status: int = 200) -> Response:
    texts = select(ConsentText).order_by(ConsentText.published_at.desc(), ConsentText.version.desc())
    found = db.session.scalars(texts).all()
    holding = {text.purpose: text.version for text in reversed(found)}
    return show(
        "admin/consents.html",
        "main",
        status=status,
        form=form,
        texts=found,
        holding=set(holding.values()),
        purposes=PURPOSES,
    )


def _stops_page(form: StopForm, *, status: int = 200) -> Response:
    newest = select(ContactStop).order_by(ContactStop.id.desc()).limit(NEWEST)
    stops = db.session.scalars(newest).all()
    return show("admin/contact_stops.html", "main", status=status, form=form, stops=stops)
