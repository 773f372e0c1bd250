"""Pages and fragments: one template serves both, and the request says which one is wanted."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from flask import Response, make_response, render_template
from flask import request as flask_request
from htmx_flask.requests import HtmxAwareRequest
from jinja2_fragments.flask import render_block
from werkzeug.local import LocalProxy

VARY = ("HX-Request", "HX-Request-Type")
TICK, TAG = "Canopy-Tick", "Canopy-Tag"


class PortalRequest(HtmxAwareRequest):
    """A request that knows whether htmx sent it and whether a fragment is enough."""

    @property
    def source(self) -> str | None:
        """The element that acted, such as `button#save`; htmx 4 names it in HX-Source."""
        return self.headers.get("HX-Source")

    @property
    def wants_fragment(self) -> bool:
        """The one rule for every view: a block is enough, the frame is already on the screen."""
        htmx = self.htmx
        return (
            bool(htmx)
            and not htmx.boosted
            and not htmx.history_restore_request
            and self.headers.get("HX-Request-Type", "partial") == "partial"
        )


request: PortalRequest = cast(PortalRequest, cast(LocalProxy[Any], flask_request))


def show(template: str, block: str, *, status: int = 200, trigger: str = "", **context: Any) -> Response:
    """Answer with the whole page, or with one named block of it where htmx asked.

    `trigger` names an event that htmx fires on the page, such as `wallet-changed`.
    """
    fragment = request.wants_fragment
    body = render_block(template, block, **context) if fragment else render_template(template, **context)
    response = make_response(body, status)
    if trigger:
        response.headers["HX-Trigger"] = trigger
    return response


def vary(response: Response) -> Response:
    """Tell caches that a page and its fragment share an address."""
    response.vary.update(VARY)
    return response


def answer_unchanged(response: Response) -> Response:
    """A tick names what is on the screen by the tag of the last answer; the same again is 304, no body."""
    if TICK in request.headers and request.wants_fragment and response.status_code == 200:
        tag = hashlib.blake2b(response.get_data(), digest_size=12).hexdigest()
        response.headers[TAG] = tag
        if request.headers.get(TAG) == tag:
            response.status_code = 304
            response.set_data(b"")
    return response


def redirect_for_htmx(response: Response) -> Response:
    """Turn a redirect into HX-Redirect: the browser would follow it unseen and swap a page into a card."""
    if response.location and 300 <= response.status_code < 400 and request.wants_fragment:
        response.headers["HX-Redirect"] = response.location
        response.headers.pop("Location")
        response.status_code = 204
        response.set_data(b"")
    return response
