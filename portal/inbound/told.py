"""What a vendor is told of an event, and how a list is cut into pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from portal.inbound.queries import STATES

# What the worker writes where a message met a bug of ours.
BUG: Final = "error"
OUR_FAULT: Final = "Something broke on our side. We try again, and look into it."
_STATE: Final = {inner: shown for shown, inners in STATES.items() for inner in inners}


def told(row: Row[Any]) -> dict[str, Any]:
    """An event as its vendor sees it: where it stands, what came of it, and what keeps it."""
    return {
        "id": row.event_id,
        "type": row.kind,
        "state": _STATE[row.state],
        "outcome": row.outcome,
        "problem": _problem(row),
        "attempts": row.attempts,
        "deliveries": row.deliveries,
        "received_at": instant(row.received_at),
        "next_try_at": instant(row.next_at) if row.state in STATES["waiting"] else None,
        "done_at": instant(row.done_at),
    }


def _problem(row: Row[Any]) -> dict[str, str] | None:
    """The field or rule and the words of what keeps an event; of a bug only that it is one."""
    if row.last_error is None or row.state in STATES["done"]:
        return None
    if row.problem in (None, BUG):
        return {"field": "", "message": OUR_FAULT}
    return {"field": row.problem, "message": row.last_error}


def instant(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
