"""The vendor's own pages, and the same pages for those who manage vendors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, url_for
from flask_login import current_user
from flask_principal import Permission

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.extensions import db
from portal.models import Vendor
from portal.vendors.members import vendor_of
from portal.vendors.room import vendor_named, vendors

partner = Blueprint("partner", __name__, url_prefix="/vendor")

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """Whose pages these are, and whether the company looks at them or the vendor itself."""

    vendor: Vendor
    company: bool

    def url(self, view: str, **values: Any) -> str:
        """The address of another of these pages, on the same side."""
        if self.company:
            return url_for(f"vendors.{view}", public_id=self.vendor.public_id, **values)
        return url_for(f"partner.{view}", **values)

    def may(self, permission: Permission) -> bool:
        """Whether this reader may do what the vendor may with this permission."""
        return may(permissions.manage_vendors if self.company else permission)


def own_place() -> Place:
    """The pages of the vendor that this person works for. Raises `NotYours`."""
    return Place(vendor_of(db.session(), current_user.id), company=False)


def on_both(
    rule: str,
    *,
    needs: Permission | None = permissions.see_vendor_traffic,
    company: Permission = permissions.manage_vendors,
    post: bool = False,
    recent: bool = False,
) -> Callable[[View], View]:
    """Open a view under /vendor and under /admin/vendors/<id>; it is called with its `Place` first.

    `needs` opens it for the vendor, and None for the company alone; `company` opens it for the company;
    `recent` asks for the password again.
    """

    def sign(view: View) -> View:
        @wraps(view)
        def own(**values: Any) -> Any:
            return view(own_place(), **values)

        @wraps(view)
        def of_company(public_id: str, **values: Any) -> Any:
            return view(Place(vendor_named(public_id), company=True), **values)

        methods = ["POST"] if post else ["GET"]
        places: list[tuple[Blueprint, str, Callable[..., Any], Permission]] = [
            (vendors, f"/<public_id>{rule}", of_company, company)
        ]
        if needs is not None:
            places.append((partner, rule, own, needs))
        for blueprint, path, shown, permission in places:
            asked = require_recent_password()(shown) if recent else shown
            blueprint.add_url_rule(path, view.__name__, requires(permission)(asked), methods=methods)
        return view

    return sign


def company_zone() -> ZoneInfo:
    """The time zone in which the company's days begin."""
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)
