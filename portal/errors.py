"""What a person sees when something was refused or broke."""

from __future__ import annotations

import logging

from flask import Flask, Response, make_response, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal.kernel.errors import DomainError
from portal.ui.htmx import request
from portal.ui.patience import TOO_MANY, please_wait
from portal.ui.problems import problem

FORM = "application/x-www-form-urlencoded"
_PAGES = (403, 404, 422, 429, 500)
_FOR_PROGRAMS = {
    404: "There is nothing under this address.",
    405: "This address does not take this method.",
    413: "The body is too large.",
    429: "Too many requests.",
    500: "Something broke on our side.",
}
_FOR_PEOPLE = {413: _l("The file is too large. Please go back and choose a smaller one.")}

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer refusals and bugs with a page, or with a fragment where htmx asked."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def _refused(refusal: DomainError) -> Response:
    return _answer(refusal.status, refusal.message, field=refusal.field)


def _stale_form(_error: CSRFError) -> Response:
    return _answer(400, _("This page was open for too long or in another session. Please load it again."))


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    message = please_wait() if error.code == TOO_MANY and not _is_for_a_program() else ""
    response = _answer(error.code, message)
    for name in ("Retry-After", "Allow"):
        for key, value in error.get_headers():
            if key == name:
                response.headers[name] = value
    return response


def _broken(error: Exception) -> Response:
    log.error("unhandled error on %s %s", request.method, request.path, exc_info=error)
    return _answer(500, "")


def _is_for_a_program() -> bool:
    """Whoever sends a form from a page elsewhere is a person, although it goes to the API."""
    if request.path.startswith("/api/v1/forms/") and request.mimetype == FORM:
        return False
    return request.path.startswith(("/api/", "/webhooks/")) and request.path != "/api/docs"


def _answer(status: int, message: str, *, field: str = "") -> Response:
    if _is_for_a_program():
        errors = [{"field": field, "message": message}] if field else []
        detail = message or _FOR_PROGRAMS.get(status, f"Refused with status {status}.")
        return problem(status, detail, errors=errors)
    message = message or _FOR_PEOPLE.get(status, "")
    if request.wants_fragment:
        return make_response(render_template("errors/fragment.html", status=status, message=message), status)
    page = status if status in _PAGES else (422 if status < 500 else 500)
    return make_response(render_template(f"errors/{page}.html", status=status, message=message), status)
