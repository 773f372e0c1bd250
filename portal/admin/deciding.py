"""One way for all buttons that decide: it is done or refused, and the page it came from says which."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect
from werkzeug.wrappers import Response

from portal.kernel.errors import DomainError, NotYours
from portal.store import UnitOfWork, perform


def decide(work: Callable[[UnitOfWork], object], *, said: str, url: str) -> Response:
    """Do `work` in a unit of work of its own and go to `url`, which says `said` or why it was refused.

    Raises `NotYours` for what is not there.
    """
    try:
        perform(lambda uow: work(uow) and None)
    except NotYours:
        raise
    except DomainError as refusal:
        flash(refusal.message, "bad")
    else:
        if said:
            flash(said, "ok")
    return redirect(url, 303)
