"""The vendors' room: who sells what on which terms, with which keys, and what they sent us."""

from portal.vendors import (  # noqa: F401
    new_service,
    portal_answers,
    portal_deliveries,
    portal_home,
    portal_invoice,
    portal_keys,
    portal_people,
    portal_several,
    portal_simulator,
    portal_statements,
    portal_uploads,
    routes,
    terms,
)
from portal.vendors.portal_room import partner
from portal.vendors.room import vendors

__all__ = ["partner", "vendors"]
