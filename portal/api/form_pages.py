"""A form as it stands on a page of ours: to see it, to mend what was wrong in it, and the page of thanks."""

from __future__ import annotations

from flask import Response

from portal.access.guard import public
from portal.api.form_bodies import EnquiryForm, value_of
from portal.api.room import api
from portal.extensions import db, limiter
from portal.kernel.errors import Conflict
from portal.kernel.origins import origin_of
from portal.leads import consents, forms
from portal.leads.consents import CONTACT, SIGNUP, Said
from portal.models import ConsentText, LeadForm
from portal.store import perform
from portal.ui import show


@api.get("/forms/<form_id>")
@public
@limiter.limit("60 per minute")
def form_alone(form_id: str) -> Response:
    """The form on a page of its own."""
    return form_page(forms.live_form(db.session(), form_id), EnquiryForm(formdata=None))


@api.get("/forms/<form_id>/thanks")
@public
@limiter.limit("60 per minute")
def form_thanks(form_id: str) -> Response:
    """What happens next; the same for everybody."""
    form = forms.any_form(db.session(), form_id)
    return show(
        "api/form_thanks.html",
        "main",
        consultant=forms.consultant_of(db.session(), form),
        back=form.thanks_url,
        place=origin_of(form.thanks_url or "").partition("//")[2],
    )


def form_page(form: LeadForm, filled: EnquiryForm, *, status: int = 200) -> Response:
    """The form as it was filled in, with what is wrong; each text is the one that was agreed to.

    The text of a sign-up is asked for again where a page that was copied earlier sent it.
    """
    _ensure_texts()
    asked = [purpose for purpose in (CONTACT, SIGNUP) if purpose == CONTACT or filled[purpose].data]
    texts = {purpose: _text(purpose, filled[purpose].data or "") for purpose in asked}
    for purpose, text in texts.items():
        filled[purpose].offered = value_of(text)
    session = db.session()
    return show(
        "api/form.html",
        "main",
        status=status,
        lead_form=form,
        form=filled,
        texts=texts,
        service=forms.service_of(session, form),
        consultant=forms.consultant_of(session, form),
    )


def _text(purpose: str, agreed_to: str) -> ConsentText:
    version, _colon, sha256 = agreed_to.rpartition(":")
    try:
        return consents.text_of(db.session(), Said(purpose, sha256, version or "?"))
    except Conflict:
        newest = consents.current_text(db.session(), purpose)
        assert newest is not None, "the texts were ensured"
        return newest


def _ensure_texts() -> None:
    if any(consents.current_text(db.session(), purpose) is None for purpose in consents.PURPOSES):
        perform(consents.ensure_texts)
