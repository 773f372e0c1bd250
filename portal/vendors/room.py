"""The room itself, and what its pages share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, flash
from flask_babel import get_timezone
from flask_login import current_user

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import Conflict, DomainError
from portal.models import Vendor
from portal.store import UnitOfWork, perform
from portal.ui.fields import RefusingForm
from portal.vendors import queries

vendors = Blueprint("vendors", __name__, url_prefix="/admin/vendors")


def done(form: RefusingForm, work: Callable[[UnitOfWork, int], None]) -> bool:
    """Whether the form was right and its work is done; else the form says why not."""
    if not form.validate_on_submit():
        return False
    actor_id = current_user.id
    try:
        perform(lambda uow: work(uow, actor_id))
    except DomainError as refusal:
        form.refuse(refusal)
        return False
    return True


def do(work: Callable[[UnitOfWork, int], None], *, said: str) -> None:
    """Do what has no form and say it is done, or say why not."""
    actor_id = current_user.id
    try:
        perform(lambda uow: work(uow, actor_id))
    except Conflict as refusal:
        flash(refusal.message, "bad")
        return
    flash(said, "ok")


def vendor_named(public_id: str) -> Vendor:
    """The vendor of this page. Raises `NotYours`."""
    return queries.vendor_by_public_id(db.session(), public_id)


def today() -> date:
    """The day it is in the company's time zone."""
    return utc_now().astimezone(get_timezone()).date()
