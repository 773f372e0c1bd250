"""The first page after signing in, made of panels that the rooms bring."""

from portal.dashboard import panels
from portal.dashboard.routes import dashboard

__all__ = ["dashboard", "panels"]
