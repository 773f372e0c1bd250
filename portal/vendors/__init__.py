"""The vendors' room: who sells what on which terms, with which keys, and what they sent us."""

from portal.vendors import routes, terms
from portal.vendors.room import vendors

__all__ = ["routes", "terms", "vendors"]
