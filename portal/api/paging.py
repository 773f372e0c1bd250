"""Lists are read in pages, and an answer that has not changed is not sent twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NoReturn

from flask import Response, abort, jsonify, request

from portal.api.tokened import Caller
from portal.integrations.lists import Wanted
from portal.kernel.clock import utc_now
from portal.ui.problems import problem

USUAL: Final = 100
MOST: Final = 200
PLACE: Final = "[A-Za-z0-9._-]{1,64}"

_PLACE: Final = re.compile(PLACE)


def wanted(caller: Caller) -> Wanted:
    """The page that is asked for, and one row more to see whether another follows; 422 for what is none."""
    after, limit = request.args.get("after"), request.args.get("limit", str(USUAL))
    if after is not None and not _PLACE.fullmatch(after):
        _wrong("after", "must be what the page before gave as next")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MOST):
        _wrong("limit", f"must be a whole number from 1 to {MOST}")
    return Wanted(caller.consultant_id, after or "", int(limit) + 1, utc_now())


def page(name: str, rows: Sequence[dict[str, Any]] | None, asked: Wanted) -> Response:
    """A page of rows that have an `id`; `next` is what to send as `after` for the page that follows."""
    if rows is None:
        missing = [{"field": "after", "message": "must be what the page before gave as next"}]
        return problem(404, "The list has no such place.", errors=missing)
    shown, more = rows[: asked.most - 1], len(rows) == asked.most
    return unless_known({name: shown, "next": shown[-1]["id"] if more else None})


def unless_known(document: dict[str, Any]) -> Response:
    """A document with its ETag; 304 where the caller has it already."""
    response = jsonify(document)
    response.set_etag(sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Authorization")
    response.make_conditional(request)
    return response


def _wrong(name: str, message: str) -> NoReturn:
    abort(problem(422, "A parameter is not what we take.", errors=[{"field": name, "message": message}]))
