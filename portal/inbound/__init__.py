"""The doors for signed messages, Stripe's and the vendors': they store what they believe, no more."""

from portal.inbound import health  # noqa: F401
from portal.inbound.routes import inbound

__all__ = ["inbound"]
