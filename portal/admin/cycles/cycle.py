"""/admin/cycles/<name>: one cycle, what its run found, and what is to be done about it."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, current_app, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import words
from portal.admin.room import admin
from portal.commissions import checks, cycles, queries, undo
from portal.commissions.beside import Beside, beside, beside_named
from portal.commissions.checks import CHECKS, Finding, Limits
from portal.commissions.review import review_of
from portal.engine import Plan
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import NotYours
from portal.models import Cycle, Run
from portal.payouts import checks as book_checks
from portal.payouts import company
from portal.payouts.queries import batch_by_id
from portal.store import progress
from portal.ui import show
from portal.ui.htmx import request

FRESH = timedelta(minutes=2)
NOTHING_HERE = "There is nothing here under this address."


@admin.get("/cycles/<name>")
@requires(permissions.see_company)
def cycle(name: str) -> Response:
    """One cycle and what is to be done about it; a tick asks for it while a job is at work."""
    return page(name)


@admin.get("/cycles/<name>/undo")
@requires(permissions.see_company)
def cycle_undo_left(name: str) -> AnyResponse:
    """How long a close can still be undone, for a tick; the page is asked for again when the time is over."""
    one = found(name)
    if not request.wants_fragment:
        return redirect(url_for("admin.cycle", name=name))
    response = show("admin/cycle.html", "undo_left", cycle=one)
    if undo.problem_with_undo(db.session(), one, now=utc_now()):
        response.headers["HX-Refresh"] = "true"
    return response


@admin.get("/cycles/<name>/checks/<code>")
@requires(permissions.see_company)
def cycle_check(name: str, code: str) -> Response:
    """What stands behind the figure of one check."""
    one = found(name)
    look = checks.look_of(db.session(), beside(db.session(), one), limits())
    check = CHECKS.get(code)
    if look is None or check is None or check.behind is None:
        raise NotYours(NOTHING_HERE)
    return show("admin/cycle_check.html", "main", cycle=one, check=check, rows=check.behind(look))


def found(name: str) -> Cycle:
    """The cycle of this name; raises `NotYours` where there is none."""
    cycle = queries.cycle_named(db.session(), name)
    if cycle is None:
        raise NotYours(NOTHING_HERE)
    return cycle


def run_of(cycle: Cycle) -> Run:
    """The run that stands for a cycle; raises `NotYours` while there is none."""
    run = queries.run_of(db.session(), cycle)
    if run is None:
        raise NotYours(NOTHING_HERE)
    return run


def limits() -> Limits:
    """Where a figure begins to need an answer, as the company set it."""
    return Limits.of(current_app.config["SETTINGS"])


def page(name: str, *, status: int = 200, refused: str = "", answer: tuple[str, str] = ("", "")) -> Response:
    """The page of a cycle; `answer` is a check and the reason that was refused for it."""
    session = db.session()
    both = beside_named(session, name)
    if both is None:
        raise NotYours(NOTHING_HERE)
    found = both.cycle
    doing = _under_way(found)
    review = None if doing in ("preview", "close", "undo") else review_of(session, both)
    approvals = queries.approvals_of(session, found.preview_run_id) if found.preview_run_id else []
    return show(
        "admin/cycle.html",
        "work",
        status=status,
        cycle=found,
        review=review,
        approvals=approvals,
        # All the books are read for these: not at every tick of a page that waits for a job.
        findings=[] if doing else _findings(both),
        doing=doing,
        progress=progress.read(f"cycle-{found.id}") if doing else None,
        undoable=bool(found.closed_at)
        and not doing
        and not undo.problem_with_undo(session, found, now=utc_now()),
        undone=None if found.closed_at else queries.last_undone(session, found.id),
        compared=_compared(found),
        batch=_batch_id(found),
        last_moment=queries.last_moment(found),
        mine=any(yes.user_id == current_user.id for yes in approvals),
        needed=cycles.APPROVALS_NEEDED,
        refused=refused,
        answer=answer,
        cap=limits().ratio_cap,
        plan_limit=Plan.parse(dict(found.plan_version.document)).payout_limit,
        may_manage=may(permissions.manage_cycles),
        may_approve=may(permissions.approve_cycles),
        may_pay=may(permissions.manage_payouts),
        may_adjust=may(permissions.manage_adjustments),
        selection=company.selection_of(session, found.id) if found.closed_at else None,
        words=words,
    )


def _under_way(found: Cycle) -> str:
    """What a job is doing about a cycle, or is asked to do."""
    asked = {
        "undo": found.undo_requested_at,
        "close": found.close_requested_at,
        "preview": found.preview_requested_at,
        "compare": found.compare_requested_at,
    }
    return next((what for what, at in asked.items() if at is not None), "")


def _compared(found: Cycle) -> Run | None:
    """The run that computed a closed cycle once more, if one did."""
    known = found.closed_at is not None and found.compare_run_id is not None
    return db.session.get(Run, found.compare_run_id) if known else None


def _findings(both: Beside) -> list[Finding]:
    """The checks of a run that may still be approved or closed, those that found something first."""
    if both.cycle.closed_at:
        return []
    findings = checks.findings(db.session(), both, limits(), broken=_broken())
    return sorted(findings, key=lambda one: one.passed)


def _broken() -> tuple[str, ...] | None:
    """What the last look at the books found; None when that is long ago. A yes looks for itself."""
    last = book_checks.last()
    if last is None or utc_now() - last.at > FRESH:
        return None
    return tuple(each.invariant for each in last.broken)


def _batch_id(found: Cycle) -> str:
    if found.payout_batch_id is None:
        return ""
    return batch_by_id(db.session(), found.payout_batch_id).public_id
