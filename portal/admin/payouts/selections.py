"""/admin/payouts/selections: whom the company pays, found by criteria, made by one, approved by another."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.payouts.forms import SelectionForm
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.members.queries import packs
from portal.payouts import approval, selected, selections
from portal.payouts.payees import methods
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 200


@admin.get("/payouts/selections")
@requires(permissions.manage_payouts)
def payout_selections() -> Response:
    """The form, and the selections there were."""
    return _form_page(SelectionForm(formdata=None))


@admin.post("/payouts/selections")
@requires(permissions.manage_payouts)
@require_recent_password()
def find_selection() -> AnyResponse:
    """Find whom to pay."""
    form, actor_id = SelectionForm(), current_user.id
    _offer(form)
    if not form.validate_on_submit():
        return _form_page(form, status=422)
    criteria = form.criteria()
    try:
        public_id = perform(lambda uow: selections.find(uow, criteria, actor_id=actor_id).public_id)
    except DomainError as refusal:
        form.refuse(refusal)
        return _form_page(form, status=refusal.status)
    return redirect(url_for("admin.payout_selection", public_id=public_id), 303)


@admin.get("/payouts/selections/<public_id>")
@requires(permissions.manage_payouts)
def payout_selection(public_id: str) -> Response:
    """Who is in it, with the sums, and who is not, with the reasons."""
    session = db.session()
    found = selected.by_public_id(session, public_id)
    after = number(request.args, "after") or 0
    lines = selected.lines_of(session, found.id, after=after, limit=ROWS_A_PAGE + 1)
    terms = selected.terms_of(session, found, now=utc_now())
    return show(
        "admin/payout_selection.html",
        "selection",
        selection=found,
        criteria=selected.in_words(session, found),
        totals=selected.totals_of(session, found.id),
        arrives=selected.sum_of(terms.values()),
        terms=terms,
        lines=lines[:ROWS_A_PAGE],
        more=lines[ROWS_A_PAGE - 1].consultant_id if len(lines) > ROWS_A_PAGE else None,
        waiting=selected.waiting_of(session, found.id),
        mine=found.made_by == current_user.id,
    )


@admin.post("/payouts/selections/<public_id>/leave-out/<person>")
@requires(permissions.manage_payouts)
@require_recent_password()
def leave_out_of_selection(public_id: str, person: str) -> AnyResponse:
    """Leave one person out, with a reason."""
    ids = _line(public_id, person) | {"actor_id": current_user.id}
    reason = request.form.get("reason", "")
    return _after(public_id, lambda uow: selections.leave_out(uow, reason=reason, **ids))


@admin.post("/payouts/selections/<public_id>/take-in/<person>")
@requires(permissions.manage_payouts)
@require_recent_password()
def take_into_selection(public_id: str, person: str) -> AnyResponse:
    """Take one person back in."""
    ids = _line(public_id, person) | {"actor_id": current_user.id}
    return _after(public_id, lambda uow: selections.take_in(uow, **ids))


@admin.post("/payouts/selections/<public_id>/make")
@requires(permissions.manage_payouts)
@require_recent_password()
def make_selection(public_id: str) -> AnyResponse:
    """Make the withdrawals."""
    ids = _ids(public_id)
    return _after(
        public_id, lambda uow: selections.make(uow, **ids), _("Made. Another person has to approve them.")
    )


@admin.post("/payouts/selections/<public_id>/drop")
@requires(permissions.manage_payouts)
@require_recent_password()
def drop_selection(public_id: str) -> AnyResponse:
    """Make nothing of it."""
    ids = _ids(public_id)
    return _after(public_id, lambda uow: selections.drop(uow, **ids), _("Dropped."))


@admin.post("/payouts/selections/<public_id>/approve")
@requires(permissions.manage_payouts)
@require_recent_password()
def approve_selection(public_id: str) -> AnyResponse:
    """Approve all that somebody else made."""
    ids = _ids(public_id)
    left: list[approval.Refused] = []

    def work(uow: UnitOfWork) -> None:
        left[:] = approval.approve_selection(uow, **ids)

    answer = _after(public_id, work, _("Approved."))
    if left:
        waits = ngettext(
            "%(num)s stays waiting: %(why)s", "%(num)s stay waiting: %(why)s", len(left), why=left[0].reason
        )
        flash(waits, "bad")
    return answer


def _form_page(form: SelectionForm, *, status: int = 200) -> Response:
    _offer(form)
    rows = selected.newest(db.session())
    cycles = selected.cycle_names(db.session(), rows)
    return show("admin/payout_selections.html", "form", status=status, form=form, rows=rows, cycles=cycles)


def _offer(form: SelectionForm) -> None:
    session = db.session()
    offered = [(method.code, method.name) for method in methods.offered(session)]
    form.offer([(pack.code, pack.name) for pack in packs(session)], offered)


def _ids(public_id: str) -> dict[str, int]:
    """The selection of this address and who acts on it."""
    return {
        "selection_id": selected.by_public_id(db.session(), public_id).id,
        "actor_id": current_user.id,
    }


def _line(public_id: str, person: str) -> dict[str, int]:
    """A selection and one person of it."""
    selection_id, consultant_id = selected.ids_of(db.session(), public_id, person)
    return {"selection_id": selection_id, "consultant_id": consultant_id}


def _after(public_id: str, work: Callable[[UnitOfWork], object], said: str = "") -> AnyResponse:
    return decide(work, said=said, url=url_for("admin.payout_selection", public_id=public_id))
