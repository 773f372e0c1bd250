"""The pages on which people connect other systems: their own, or the company's."""

from portal.connections import access_tokens, lead_forms, webhooks  # noqa: F401
from portal.connections.room import company_connections, connections

__all__ = ["company_connections", "connections"]
