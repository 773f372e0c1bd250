"""The door of forms that stand on pages elsewhere: a plain form is led on, a script is told in JSON."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, g, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as AnyResponse

from portal.access.guard import public
from portal.api import form_operations
from portal.api.form_bodies import EnquiryForm, as_sent, sent_json
from portal.api.form_pages import form_page
from portal.api.lead_bodies import MOST_BYTES
from portal.api.room import api
from portal.errors import FORM
from portal.extensions import db, limiter
from portal.kernel.errors import DomainError, NotFromThere
from portal.leads import forms
from portal.leads.forms import Sent
from portal.models import LeadForm
from portal.store import perform
from portal.ui.operations import documented
from portal.ui.patience import is_too_much

FOR_AN_ADDRESS = "10 per minute; 60 per hour"
FOR_A_FORM = "120 per minute; 5000 per day"
PATH = "/api/v1/forms/<form_id>/leads"
KEPT_SECONDS = "600"


@api.post(PATH, provide_automatic_options=False)
@documented(form_operations.SEND_FORM)
@public
def take_form(form_id: str) -> AnyResponse:
    """Take a lead in; who it is and whether they were known is told to nobody."""
    form = _opened(form_id)
    return _from_people(form) if request.mimetype == FORM else _from_script(form)


@api.route(PATH, methods=["OPTIONS"])
@public
def ask_for_form(form_id: str) -> Response:
    """A browser asks whether a script of this page may send the form."""
    _opened(form_id)
    answer = Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    answer.headers["Access-Control-Max-Age"] = KEPT_SECONDS
    return answer


@api.after_request
def let_scripts_read(response: Response) -> Response:
    """The page that may send a form may read the answer, also a refusal."""
    if "form_reader" in g:
        response.headers["Access-Control-Allow-Origin"] = g.form_reader
        response.vary.add("Origin")
    return response


def _opened(form_id: str) -> LeadForm:
    """The form, asked for by a page that may. Raises `NotYours`, `NotFromThere`."""
    form, origin = forms.live_form(db.session(), form_id), request.headers.get("Origin", "")
    if form.origins and origin not in form.origins and not _is_ours(origin):
        raise NotFromThere(_("This form belongs to another website."))
    g.form_reader = origin if form.origins else "*"
    return form


def _is_ours(origin: str) -> bool:
    """Whether it is the page on which we show the form."""
    ours = (request.host_url, current_app.config["SETTINGS"].base_url)
    return origin in {url.rstrip("/") for url in ours}


def _limits(form: LeadForm) -> list[tuple[str, Callable[[], str]]]:
    by_form = f"form-{form.id}"
    return [(FOR_AN_ADDRESS, lambda: f"form-from-{get_remote_address()}"), (FOR_A_FORM, lambda: by_form)]


def _from_people(form: LeadForm) -> AnyResponse:
    request.max_content_length = MOST_BYTES
    filled, public_id = EnquiryForm(), form.public_id
    if any(is_too_much(filled, limits, key=key) for limits, key in _limits(form)):
        return form_page(form, filled, status=429)
    # On our own page the browser leads nobody elsewhere, so the page of thanks has the link.
    led_on = form.thanks_url if not _is_ours(request.headers.get("Origin", "")) else None
    thanks = redirect(led_on or url_for("api.form_thanks", form_id=public_id), 303)
    if filled.website.data:
        return thanks
    if not filled.validate_on_submit():
        return form_page(form, filled, status=422)
    try:
        _take(public_id, filled.sent())
    except DomainError as refusal:
        filled.refuse(refusal)
        return form_page(forms.live_form(db.session(), public_id), filled, status=422)
    return thanks


def _from_script(form: LeadForm) -> Response:
    for limits, key in _limits(form):
        with limiter.limit(limits, key_func=key):
            pass
    sent, public_id = sent_json(), form.public_id
    thanks = form.thanks_url or url_for("api.form_thanks", form_id=public_id, _external=True)
    if not sent.get("website"):
        _take(public_id, as_sent(sent))
    answer = jsonify(received=True, thanks=thanks)
    answer.status_code = 201
    return answer


def _take(public_id: str, sent: Sent) -> None:
    perform(lambda uow: forms.take(uow, public_id=public_id, sent=sent))
