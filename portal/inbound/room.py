"""The room of the doors: no session, no form; what goes wrong is answered with a problem."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, abort, current_app, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from werkzeug.exceptions import RequestEntityTooLarge

from portal.extensions import csrf
from portal.ui.problems import problem
from portal.ui.rates import Allowance, tell_rates

COME_AGAIN: Final = {"Retry-After": "10"}
REQUESTS: Final = Allowance("requests", 6_000, "VENDOR_REQUESTS_A_MINUTE")
EVENTS: Final = Allowance("events", 300_000, "VENDOR_EVENTS_A_MINUTE")
REFUSALS: Final = Allowance("refusals", 600, "VENDOR_REFUSALS_A_MINUTE")

inbound = Blueprint("inbound", __name__)
csrf.exempt(inbound)
inbound.after_request(tell_rates)

View = TypeVar("View", bound=Callable[..., Response])


def answers_plainly(view: View) -> View:
    """Turn what may go wrong at a door into a short problem answer with the reason."""

    @wraps(view)
    def answering(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except RequestEntityTooLarge:
            return problem(413, "The body is too large.")
        except (OperationalError, InterfaceError, PoolIsEmpty):
            current_app.logger.exception("inbox not reachable")
            return problem(503, "We cannot answer now. Please send it again.", headers=COME_AGAIN)

    return answering  # type: ignore[return-value]


def body_of_at_most(most_bytes: int) -> bytes:
    """The bytes of the request. Raises `RequestEntityTooLarge` before it reads more than that.

    What breaks off, or comes in chunks that are none, is answered with 400.
    """
    # Chunks are cut off at the limit without a word: a byte more shows that there was more.
    request.max_content_length = most_bytes + 1
    try:
        body = request.get_data(cache=False)
    except (OSError, ParseException):
        abort(problem(400, "The body broke off."))
    if len(body) > most_bytes:
        raise RequestEntityTooLarge
    return body
