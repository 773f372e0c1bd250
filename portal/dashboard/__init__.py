"""The first page after signing in, made of panels that the rooms bring."""

from portal.dashboard import needs, panels
from portal.dashboard.routes import dashboard

__all__ = ["dashboard", "needs", "panels"]
