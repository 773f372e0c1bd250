"""What somebody reads who sent too much in a short time: kindly, with the time to go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import time

from flask import Response
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded

from portal.extensions import limiter
from portal.kernel.clock import utc_now
from portal.ui.fields import RefusingForm
from portal.ui.filters import until

A_MINUTE = 60
TOO_MANY = 429


def please_wait() -> str:
    """What happened, and in how many minutes the next try is let in."""
    again = utc_now() + timedelta(seconds=_seconds() + A_MINUTE)
    return _(
        "Many tries came from your network in a short time, so we let no more in for a moment. "
        "Please try again in %(time)s.",
        time=until(again),
    )


def tell_when(response: Response) -> Response:
    """Say to programs too when to go on: on refusals alone, since they wait after whatever says so."""
    if response.status_code == TOO_MANY:
        response.headers.setdefault("Retry-After", str(_seconds()))
    return response


def is_too_much(form: RefusingForm, limits: str, *, key: Callable[[], str] | None = None) -> bool:
    """Count a form that was sent; where that is too much, the form says so above what was written."""
    try:
        with limiter.limit(limits, key_func=key):
            return False
    except RateLimitExceeded:
        form.form_errors.append(f"{please_wait()} {_('What you wrote is still here.')}")
        return True


def _seconds() -> int:
    """Until the limit that was reached begins anew; at least one."""
    limit = limiter.current_limit
    return max(int(limit.reset_at - time()), 1) if limit is not None else A_MINUTE
