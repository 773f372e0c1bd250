"""The room of customers and leads: the sign-up page, the lead desk, one's own customers, stops."""

from portal.desk import customers, deeds, doors, files, leads, licences, panels, retail, signup
from portal.desk.room import desk

__all__ = ["customers", "deeds", "desk", "doors", "files", "leads", "licences", "panels", "retail", "signup"]
