"""The differences of a comparison as a file, and the filter that page and file share."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, cast

from flask import Response, stream_with_context
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.comparisons import words as comparison_words
from portal.admin.comparisons.forms import DifferenceFilter
from portal.admin.room import admin
from portal.arrival.comparing import queries
from portal.arrival.comparing.queries import Difference, Wanted
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.payouts.files import guarded, written
from portal.ui.htmx import request


@admin.get("/comparisons/<public_id>/differences.csv")
@requires(permissions.see_company)
def comparison_csv(public_id: str) -> AnyResponse:
    """Every difference, or those that the filter of the page leaves."""
    found, cycle = queries.comparison_by_public_id(db.session(), public_id)
    if not queries.is_made(found):
        raise Conflict(_("This is being compared; please wait until it is done."))
    _form, wanted = chosen(found.id, list(cast(dict[str, Any], found.totals["by_reason"])))
    response = Response(stream_with_context(_written(found.id, wanted)))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="differences-{cycle.name}.csv"'
    return response


def chosen(comparison_id: int, reasons: list[str]) -> tuple[DifferenceFilter, Wanted]:
    """The filter of the address, and what it asks for."""
    form = DifferenceFilter(request.args)
    form.offer(reasons=reasons, kinds=queries.kinds_of(db.session(), comparison_id))
    return form, form.wanted() if form.validate() else Wanted()


def _written(comparison_id: int, wanted: Wanted) -> Iterator[str]:
    yield _row("code", "name", "kind", "theirs", "ours", "difference", "reason", "why", "note")
    for one in queries.every_difference(db.session(), comparison_id, wanted):
        yield _difference(one)


def _difference(one: Difference) -> str:
    line = one.line
    cents = [_amount(each) for each in (line.theirs_cents, line.ours_cents, one.cents)]
    why = comparison_words.why(line)
    return _row(
        guarded(line.code),
        guarded(one.name),
        guarded(line.kind),
        *cents,
        line.reason,
        why,
        guarded(line.settled_note or ""),
    )


def _amount(cents: int | None) -> str:
    if cents is None:
        return ""
    return f"-{written(-cents)}" if cents < 0 else written(cents)


def _row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
