"""Forms for pages elsewhere: made, copied as HTML, ended."""

from __future__ import annotations

from flask import Response, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.connections.forms import FormForm
from portal.connections.room import NOT_HERE, Place, on_both
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.leads import consents, forms, selling
from portal.models import Consultant, LeadForm, Pack
from portal.store import perform
from portal.ui import show


@on_both("/forms")
def lead_forms(place: Place) -> Response:
    """The forms, and the form for another."""
    return _list(_asked(place), FormForm(formdata=None))


@on_both("/forms", post=True)
def add_lead_form(place: Place) -> AnyResponse:
    """Make a form; its HTML stands on its page."""
    form, actor_id = FormForm().offer(_services(_asked(place))), current_user.id
    if not form.validate_on_submit():
        return _list(place, form, status=422)
    wish = form.wish()
    try:
        made = perform(
            lambda uow: (
                forms.add_form(uow, consultant_id=place.consultant_id, wish=wish, actor_id=actor_id).public_id
            )
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _list(place, form, status=refusal.status)
    flash(_("The form is made. Copy its HTML to your page."), "ok")
    return redirect(place.url("lead_form", form_id=made), 303)


@on_both("/forms/<form_id>")
def lead_form(place: Place, form_id: str) -> Response:
    """One form: what it does, and its HTML."""
    found = forms.own_form(db.session(), form_id, _asked(place).consultant_id)
    return show(
        "connections/form.html",
        "main",
        place=place,
        lead_form=found,
        service=forms.service_of(db.session(), found),
        snippet=None if found.ended_at else _snippet(found),
    )


@on_both("/forms/<form_id>/end", post=True)
def end_lead_form(place: Place, form_id: str) -> AnyResponse:
    """Take nothing more by a form."""
    owner, actor_id = _asked(place).consultant_id, current_user.id
    perform(lambda uow: forms.end_form(uow, public_id=form_id, consultant_id=owner, actor_id=actor_id))
    flash(_("The form is over. Please take it off your page."), "ok")
    return redirect(place.url("lead_forms"), 303)


def _asked(place: Place) -> Place:
    """The same place. Raises `NotYours` where no leads would come to it."""
    if not place.may_make_forms():
        raise NotYours(NOT_HERE)
    return place


def _list(place: Place, form: FormForm, *, status: int = 200) -> Response:
    return show(
        "connections/forms.html",
        "main",
        status=status,
        place=place,
        form=form.offer(_services(place)),
        rows=forms.forms_of(db.session(), place.consultant_id),
    )


def _services(place: Place) -> dict[str, str]:
    """What a form can be about: what a consultant's plan sells, or everything."""
    session, day = db.session(), utc_now().date()
    maker = session.get(Consultant, place.consultant_id) if place.consultant_id else None
    pack = session.get_one(Pack, maker.pack) if maker else None
    return {
        str(one.id): f"{one.name}, {one.vendor.name}"
        for one, terms in selling.offered_services(session, day=day)
        if pack is None or selling.may_sell(pack, vendor=one.vendor, terms=terms)
    }


def _snippet(form: LeadForm) -> str:
    """The HTML to copy: complete in itself, with the text that holds now."""
    session, base_url = db.session(), current_app.config["SETTINGS"].base_url.rstrip("/")
    if consents.current_text(session, consents.CONTACT) is None:
        perform(consents.ensure_texts)
    return render_template(
        "connections/_snippet.html",
        action=base_url + url_for("api.take_form", form_id=form.public_id),
        lead_form=form,
        service=forms.service_of(session, form),
        consultant=forms.consultant_of(session, form),
        text=consents.current_text(session, consents.CONTACT),
    ).strip()
