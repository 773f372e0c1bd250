"""A question of the company about a difference: somebody at the vendor answers it."""

from __future__ import annotations

from flask import flash, redirect
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.statements import queries, questions
from portal.store import perform
from portal.vendors.portal_room import own_place, partner
from portal.vendors.portal_statement_forms import AnswerForm
from portal.vendors.portal_statements import difference_page


@partner.post("/statements/differences/<difference_id>/answer")
@requires(permissions.send_statements)
def answer_question(difference_id: str) -> AnyResponse:
    """Write the answer beside the difference, where the company reads it."""
    place, form, actor_id = own_place(), AnswerForm(), current_user.id
    row_id = queries.difference_of(db.session(), place.vendor.id, difference_id).id
    if not form.validate_on_submit():
        return difference_page(place, difference_id, form, status=422)
    text = form.answer.data or ""
    try:
        perform(lambda uow: questions.answer(uow, difference_id=row_id, text=text, actor_id=actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return difference_page(place, difference_id, form, status=refusal.status)
    flash(_("Your answer is sent. It stays open until the company has decided."), "ok")
    return redirect(place.url("difference", difference_id=difference_id), 303)
