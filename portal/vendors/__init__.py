"""The vendors' room: who sells what on which terms, with which keys, and what they sent us."""

from portal.vendors.routes import vendors

__all__ = ["vendors"]
