"""/admin/cycles: preview, review, approve, close and pay a week."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache

from flask import Response, flash, redirect, stream_with_context, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.admin import words
from portal.admin.room import admin
from portal.commissions import cycles as service
from portal.commissions import queries
from portal.commissions.review import Review, review_of
from portal.commissions.runs import is_reproducible
from portal.extensions import db
from portal.kernel.errors import DomainError, NotYours
from portal.ledger.audit import broken_invariants
from portal.members.queries import consultant_by_public_id
from portal.models import Cycle, Run
from portal.payouts import company
from portal.payouts.files import guarded, written
from portal.payouts.queries import batch_by_id
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

NOTHING_HERE = "There is nothing here under this address."


@admin.get("/cycles")
@requires(permissions.see_company)
def cycles() -> Response:
    """All weeks, newest first."""
    return show("admin/cycles.html", "main", rows=queries.cycle_rows(db.session()), words=words)


@admin.get("/cycles/<name>")
@requires(permissions.see_company)
def cycle(name: str) -> Response:
    """One week and what is to be done about it; a tick asks for it while a job is at work."""
    return _page(_found(name))


@admin.post("/cycles/<name>/preview")
@requires(permissions.manage_cycles)
def preview_cycle(name: str) -> AnyResponse:
    """Ask for a preview; a job makes it."""
    cycle_id, actor_id = _found(name).id, current_user.id

    def work(uow: UnitOfWork) -> None:
        service.request_preview(uow, cycle_id=cycle_id, actor_id=actor_id)

    return _after(name, work, "")


@admin.post("/cycles/<name>/approve")
@requires(permissions.approve_cycles)
@require_recent_password()
def approve_cycle(name: str) -> AnyResponse:
    """Say yes to the run that was on the screen; the second yes closes the week where that was asked for."""
    cycle_id, actor_id = _found(name).id, current_user.id
    run_id, closes = number(request.form, "run") or 0, "close" in request.form

    def work(uow: UnitOfWork) -> None:
        count = service.approve(uow, cycle_id=cycle_id, run_id=run_id, actor_id=actor_id)
        if closes and count >= service.APPROVALS_NEEDED:
            service.request_close(uow, cycle_id=cycle_id, actor_id=actor_id)

    return _after(name, work, _("You approved this preview."))


@admin.post("/cycles/<name>/close")
@requires(permissions.approve_cycles)
@require_recent_password()
def close_cycle(name: str) -> AnyResponse:
    """Ask for the close of an approved week; a job does it, and asking twice does it once."""
    cycle_id, actor_id = _found(name).id, current_user.id

    def work(uow: UnitOfWork) -> None:
        service.request_close(uow, cycle_id=cycle_id, actor_id=actor_id)

    return _after(name, work, "")


@admin.post("/cycles/<name>/pay")
@requires(permissions.manage_payouts)
@require_recent_password()
def pay_cycle(name: str) -> AnyResponse:
    """Find everybody who can be paid; their withdrawals are made on the next page and approved by another."""
    cycle_id, actor_id = _found(name).id, current_user.id
    try:
        public_id = perform(lambda uow: _selected(uow, cycle_id, actor_id))
    except DomainError as refusal:
        return _page(_found(name), status=refusal.status, refused=refusal.message)
    if public_id is None:
        flash(_("Nobody can be paid. The week is settled; what is left is paid with a later one."), "ok")
        return redirect(url_for("admin.cycle", name=name), 303)
    return redirect(url_for("admin.payout_selection", public_id=public_id), 303)


@admin.get("/cycles/<name>/lines.csv")
@requires(permissions.see_company)
def cycle_csv(name: str) -> AnyResponse:
    """Every line of the week's run."""
    found = _found(name)
    run = _run(found)
    response = Response(stream_with_context(_csv(queries.lines_of(db.session(), found, run.id))))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="cycle-{found.name}-run-{run.id}.csv"'
    return response


@admin.get("/cycles/<name>/people/<public_id>")
@requires(permissions.see_company)
def cycle_person(name: str, public_id: str) -> Response:
    """One person's lines of this week beside those of the week before."""
    session, found = db.session(), _found(name)
    consultant = consultant_by_public_id(session, public_id)
    if consultant is None:
        raise NotYours(NOTHING_HERE)
    weeks = [found, session.get(Cycle, found.previous_id) if found.previous_id else None]
    columns = []
    for week in weeks:
        run = queries.run_of(session, week) if week else None
        if week and run:
            lines = list(queries.lines_of(session, week, run.id, consultant_id=consultant.id))
            columns.append((week.name, lines, sum(line.amount for line in lines)))
    return show(
        "admin/cycle_person.html", "main", cycle=found, consultant=consultant, columns=columns, words=words
    )


def _page(found: Cycle, *, status: int = 200, refused: str = "") -> Response:
    session = db.session()
    review = review_of(session, found)
    under_way = bool(found.preview_requested_at or found.close_requested_at)
    approvals = queries.approvals_of(session, found.preview_run_id) if found.preview_run_id else []
    return show(
        "admin/cycle.html",
        "work",
        status=status,
        cycle=found,
        review=review,
        approvals=approvals,
        # All the books are read for these: not at every tick of a page that waits for a job.
        checked=_checks(review) if review and not under_way else [],
        batch=_batch_id(found),
        last_moment=queries.last_moment(found),
        mine=any(yes.user_id == current_user.id for yes in approvals),
        needed=service.APPROVALS_NEEDED,
        under_way=under_way,
        refused=refused,
        may_manage=may(permissions.manage_cycles),
        may_approve=may(permissions.approve_cycles),
        may_pay=may(permissions.manage_payouts),
        selection=company.selection_of(session, found.id),
        words=words,
    )


def _checks(review: Review) -> list[tuple[str, str, str]]:
    """What is looked at again for the reader: (state, words, note)."""
    proof, run = review.proof, review.run
    same = _is_same(run.id, str(run.output_hash), run.frozen_at)
    broken = broken_invariants(db.session())
    return [
        (_state(proof.ties), _("Every cent ties to a sale"), f"{proof.sales:,}"),
        (_state(same), _("Two runs gave the same result"), str(run.output_hash)[:8]),
        (_state(not broken), _("The books are in order"), broken[0].invariant if broken else ""),
        (_state(not proof.below_zero), _("No wallet is below zero"), str(proof.below_zero or "")),
        *_refunds(proof.give_back),
    ]


def _refunds(people: int) -> list[tuple[str, str, str]]:
    return [("warn", _("People whose refunds are more than their pay"), f"{people:,}")] if people else []


def _state(passed: bool) -> str:
    return "ok" if passed else "bad"


@lru_cache(maxsize=64)
def _is_same(run_id: int, _output_hash: str, _frozen_at: datetime) -> bool:
    """Compute a run again from its stored inputs. They never change, so once for each result is enough."""
    return is_reproducible(db.session.get_one(Run, run_id))


def _after(name: str, work: Callable[[UnitOfWork], None], done: str) -> AnyResponse:
    """Do it and show the week again; a refusal stands on the page, which is fresh."""
    try:
        perform(work)
    except DomainError as refusal:
        return _page(_found(name), status=refusal.status, refused=refusal.message)
    if done:
        flash(done, "ok")
    return redirect(url_for("admin.cycle", name=name), 303)


def _selected(uow: UnitOfWork, cycle_id: int, actor_id: int) -> str | None:
    found = company.select_for_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
    return found.public_id if found else None


def _batch_id(found: Cycle) -> str:
    if found.payout_batch_id is None:
        return ""
    return batch_by_id(db.session(), found.payout_batch_id).public_id


def _csv(lines: Iterator[queries.Explained]) -> Iterator[str]:
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


def _found(name: str) -> Cycle:
    found = queries.cycle_named(db.session(), name)
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found


def _run(found: Cycle) -> Run:
    run = queries.run_of(db.session(), found)
    if run is None:
        raise NotYours(NOTHING_HERE)
    return run
