"""Everybody of a cycle beside the cycle before: a table to search in, files, and one person's lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import words
from portal.admin.cycles.cycle import NOTHING_HERE, found, run_of
from portal.admin.room import admin
from portal.commissions import differences, queries
from portal.commissions.differences import Move, Pair, Wanted
from portal.commissions.queries import Explained
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.members.queries import consultant_by_public_id
from portal.models import Cycle
from portal.payouts.files import guarded, written
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50
ONLY = ("", "paid", "changed")
ORDERS = ("change", "pay")


@admin.get("/cycles/<name>/people")
@requires(permissions.see_company)
def cycle_people(name: str) -> Response:
    """Everybody with a line in this cycle or the one before, the biggest difference first."""
    one, session = found(name), db.session()
    previous = _previous(one)
    pair, wanted = _pair(one, previous), _wanted()
    page = max(number(request.args, "page") or 1, 1)
    people, before, now = differences.count_of(session, pair, wanted)
    return show(
        "admin/cycle_people.html",
        "people",
        cycle=one,
        before=previous,
        wanted=wanted,
        rows=differences.page_of(session, pair, wanted, start=(page - 1) * ROWS_A_PAGE, limit=ROWS_A_PAGE),
        sums=(people, before, now),
        page=page,
        pages=max(-(-people // ROWS_A_PAGE), 1),
        words=words,
    )


@admin.get("/cycles/<name>/people.csv")
@requires(permissions.see_company)
def cycle_people_csv(name: str) -> AnyResponse:
    """Everybody beside the cycle before, with the reason in words."""
    one = found(name)
    pair = _pair(one, _previous(one))
    return _file(f"cycle-{one.name}-people-run-{pair.now}.csv", _moves(pair))


@admin.get("/cycles/<name>/lines.csv")
@requires(permissions.see_company)
def cycle_csv(name: str) -> AnyResponse:
    """Every line of the cycle's run."""
    one = found(name)
    run = run_of(one)
    lines = queries.lines_of(db.session(), one, run.id)
    return _file(f"cycle-{one.name}-run-{run.id}.csv", _lines(lines))


@admin.get("/cycles/<name>/people/<public_id>")
@requires(permissions.see_company)
def cycle_person(name: str, public_id: str) -> Response:
    """One person's lines of this cycle beside those of the cycle before."""
    session, one = db.session(), found(name)
    consultant = consultant_by_public_id(session, public_id)
    if consultant is None:
        raise NotYours(NOTHING_HERE)
    columns = []
    for cycle in (one, _previous(one)):
        run = queries.run_of(session, cycle) if cycle else None
        if cycle and run:
            lines = list(queries.lines_of(session, cycle, run.id, consultant_id=consultant.id))
            columns.append((cycle.name, lines, sum(line.amount for line in lines)))
    return show(
        "admin/cycle_person.html",
        "main",
        cycle=one,
        consultant=consultant,
        columns=columns,
        may_adjust=one.closed_at is not None and may(permissions.manage_adjustments),
        words=words,
    )


def _wanted() -> Wanted:
    only, order = request.args.get("only", ""), request.args.get("order", "change")
    return Wanted(
        name=" ".join(request.args.get("name", "").split())[:100],
        only=only if only in ONLY else "",
        order=order if order in ORDERS else "change",
    )


def _previous(cycle: Cycle) -> Cycle | None:
    return db.session.get(Cycle, cycle.previous_id) if cycle.previous_id else None


def _pair(cycle: Cycle, previous: Cycle | None) -> Pair:
    old = queries.run_of(db.session(), previous) if previous else None
    return Pair(cycle, run_of(cycle).id, old.id if old else 0)


def _file(name: str, rows: Iterator[str]) -> AnyResponse:
    response = Response(stream_with_context(rows))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _moves(pair: Pair) -> Iterator[str]:
    yield _row("code", "name", "before", "now", "change", "reason")
    for move in differences.all_moves(db.session(), pair):
        yield _move(move)


def _move(move: Move) -> str:
    cents = (_signed(amount) for amount in (move.before, move.now, move.change))
    return _row(move.code, guarded(move.name), *cents, words.reason(move))


def _lines(lines: Iterable[Explained]) -> Iterator[str]:
    yield _row("code", "name", "kind", "amount", "base", "rate", "sale", "service")
    for line in lines:
        rate = "" if line.rate is None else f"0.{line.rate:04d}" if line.rate < 10_000 else "1.0000"
        about = (line.kind, _signed(line.amount), _signed(line.base), rate, line.sale, guarded(line.about))
        yield _row(line.code, guarded(line.name), *about)


def _row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _signed(hundredths: int) -> str:
    return f"-{written(-hundredths)}" if hundredths < 0 else written(hundredths)
