"""The team of a consultant: the binary tree below them, and the people they have yet to place."""

from portal.network import panels, people
from portal.network.routes import network

__all__ = ["network", "panels", "people"]
