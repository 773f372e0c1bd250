"""The same pages twice: a consultant's own under /settings, the company's under /admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, url_for
from flask_login import current_user
from flask_principal import Permission

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.members.queries import consultant_of
from portal.ui.packs import has_feature

connections = Blueprint("connections", __name__, url_prefix="/settings/integrations")
company_connections = Blueprint("company_connections", __name__, url_prefix="/admin/integrations")

NOT_HERE = "There is nothing here under this address."
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """Whose systems these are: a consultant's, or the company's where there is no consultant."""

    consultant_id: int | None

    @property
    def company(self) -> bool:
        return self.consultant_id is None

    def url(self, view: str, **values: Any) -> str:
        """The address of another of these pages, on the same side."""
        return url_for(f"{'company_' if self.company else ''}connections.{view}", **values)

    def may_manage(self) -> bool:
        """Whether this reader may set up more than tokens of their own."""
        return not self.company or may(permissions.manage_integrations)

    def may_make_forms(self) -> bool:
        """Whether leads by a form would stand on a desk of theirs, or be routed by them."""
        return self.may_manage() if self.company else has_feature("lead_desk")


def own_place() -> Place:
    """The pages of the consultant who asks. Raises `NotYours`."""
    found = consultant_of(db.session(), current_user.person_id)
    if found is None:
        raise NotYours(NOT_HERE)
    return Place(found.id)


def on_both(
    rule: str,
    *,
    company: Permission = permissions.manage_integrations,
    post: bool = False,
    recent: bool = False,
) -> Callable[[View], View]:
    """Open a view on both sides; it gets its `Place` first; `recent` asks for the password again."""

    def sign(view: View) -> View:
        @wraps(view)
        def own(**values: Any) -> Any:
            return view(own_place(), **values)

        @wraps(view)
        def of_company(**values: Any) -> Any:
            return view(Place(None), **values)

        for blueprint, shown, permission in (
            (connections, own, permissions.connect_systems),
            (company_connections, of_company, company),
        ):
            asked = require_recent_password()(shown) if recent else shown
            methods = ["POST"] if post else ["GET"]
            blueprint.add_url_rule(rule, view.__name__, requires(permission)(asked), methods=methods)
        return view

    return sign
