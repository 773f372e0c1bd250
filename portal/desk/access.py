"""Whose desk it is, and whether their plan has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import redirect, request, url_for
from flask_login import current_user

from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.leads.working import Mine
from portal.members.queries import consultant_of
from portal.models import Consultant
from portal.ui.packs import has_feature

NOT_HERE = "There is nothing here under this address."
View = TypeVar("View", bound=Callable[..., Any])


def me() -> Consultant:
    """The consultant who asks. Raises `NotYours` for whoever is none."""
    found = consultant_of(db.session(), current_user.person_id)
    if found is None:
        raise NotYours(NOT_HERE)
    return found


def mine(public_id: str) -> Mine:
    """A lead of one's own, to act on."""
    return Mine(public_id, me().id, current_user.id)


def with_desk(view: View) -> View:
    """Open where the consultant's plan has the lead desk; others see their customers instead."""

    @wraps(view)
    def opened(*args: Any, **kwargs: Any) -> Any:
        if has_feature("lead_desk"):
            return view(*args, **kwargs)
        if request.method == "GET":
            return redirect(url_for("desk.customers"), 303)
        raise NotYours(NOT_HERE)

    return opened  # type: ignore[return-value]
