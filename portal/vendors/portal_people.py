"""/admin/vendors/<id>/people: who works for a vendor here; invited and shut out by the company."""

from __future__ import annotations

from flask import Response, flash, redirect
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from portal.extensions import db
from portal.models.person import NO_PASSWORD
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.fields import RefusingForm
from portal.vendors import members
from portal.vendors.portal_room import Place, on_both
from portal.vendors.room import done


class InvitationForm(RefusingForm):
    """Who shall see this vendor's pages."""

    name = StringField(
        _l("First and last name"),
        validators=[InputRequired(_l("Please write first and last name.")), Length(max=200)],
    )
    email = StringField(
        _l("E-mail"), validators=[InputRequired(_l("Please write the e-mail.")), Length(max=254)]
    )


@on_both("/people", needs=None)
def people(place: Place) -> Response:
    """Who has access, and who was invited and has not chosen a password yet."""
    return _page(place, InvitationForm(formdata=None))


@on_both("/people", needs=None, post=True, recent=True)
def invite_person(place: Place) -> AnyResponse:
    """Send somebody a link with which they choose a password."""
    form, vendor_id = InvitationForm(), place.vendor.id

    def work(uow: UnitOfWork, actor_id: int) -> None:
        members.invite(
            uow,
            vendor_id=vendor_id,
            name=form.name.data or "",
            email=form.email.data or "",
            actor_id=actor_id,
        )

    if not done(form, work):
        return _page(place, form, status=422)
    flash(_("The invitation is on its way. Its link works once, for three days."), "ok")
    return redirect(place.url("people"), 303)


@on_both("/people/<int:user_id>/end", needs=None, post=True, recent=True)
def end_person(place: Place, user_id: int) -> AnyResponse:
    """Shut somebody out, at once and everywhere."""
    vendor_id, actor_id = place.vendor.id, current_user.id
    perform(lambda uow: members.end_access(uow, vendor_id=vendor_id, user_id=user_id, actor_id=actor_id))
    flash(_("They are shut out, everywhere."), "ok")
    return redirect(place.url("people"), 303)


def _page(place: Place, form: InvitationForm, *, status: int = 200) -> Response:
    rows = members.members_of(db.session(), place.vendor.id)
    return show(
        "vendors/portal/people.html",
        "main",
        status=status,
        place=place,
        vendor=place.vendor,
        rows=[(member, user, user.password_hash == NO_PASSWORD) for member, user in rows],
        form=form,
    )
