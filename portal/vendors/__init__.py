"""The vendors' room: who sells what on which terms, with which keys, and what they sent us."""

from portal.vendors import new_service, routes, terms
from portal.vendors.room import vendors

__all__ = ["new_service", "routes", "terms", "vendors"]
