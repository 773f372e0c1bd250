"""Lists are read in pages: `limit` rows from the one after `after` on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

from flask import Response, abort, jsonify, request

from portal.gateways.vendor_signatures import MESSAGE_ID
from portal.ui.problems import problem

USUAL: Final = 100
MOST: Final = 1_000


def asked_for() -> tuple[str, int]:
    """Where the page begins (empty for the first) and how many rows it may have; 422 for what is neither."""
    after, limit = request.args.get("after"), request.args.get("limit", str(USUAL))
    if after is not None and not MESSAGE_ID.fullmatch(after):
        wrong("after", "must be what the page before gave as next")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= MOST):
        wrong("limit", f"must be a whole number from 1 to {MOST}")
    return after or "", int(limit)


def wrong(name: str, message: str) -> NoReturn:
    """Refuse a parameter by name."""
    abort(problem(422, "A parameter is not what we take.", errors=[{"field": name, "message": message}]))


def lost() -> NoReturn:
    """There is no row after which the page could begin."""
    missing = [{"field": "after", "message": "must be what the page before gave as next"}]
    abort(problem(404, "The list has no such place.", errors=missing))


def page(name: str, rows: Sequence[dict[str, Any]], *, most: int) -> Response:
    """A page of rows that have an `id`; `next` is what to send as `after` for the page that follows."""
    shown = rows[:most]
    return jsonify({name: shown, "next": shown[-1]["id"] if len(rows) > most else None})
