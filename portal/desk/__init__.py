"""The room of customers and leads: the sign-up page, the lead desk, one's own customers, stops."""

from portal.desk import customers, deeds, files, leads, licences, panels, retail, signup, stops
from portal.desk.room import desk

__all__ = ["customers", "deeds", "desk", "files", "leads", "licences", "panels", "retail", "signup", "stops"]
