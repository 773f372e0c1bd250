"""The room in which people join: the link, the plan, the answers, the agreement, the payment."""

from portal.join.routes import join

__all__ = ["join"]
