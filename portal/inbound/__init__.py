"""The doors for signed messages, Stripe's and the vendors': they store what they believe, no more."""

from portal.inbound import events, health, signups, statements, stripe  # noqa: F401
from portal.inbound.room import inbound

__all__ = ["inbound"]
