"""How the portal looks and answers: templates, filters, navigation, panels, static files, headers."""

from portal.ui.htmx import PortalRequest, show
from portal.ui.setup import register

__all__ = ["PortalRequest", "register", "show"]
