"""The API told to those who use it: a document for programs, and a page for people."""

from portal.api import doors, form_doors, form_pages, lead_doors, routes  # noqa: F401
from portal.api.room import api

__all__ = ["api"]
