"""The room in which customers buy through a consultant's link, and consultants see what they pay and sold."""

from portal.shop import market, plan, routes
from portal.shop.room import shop

__all__ = ["market", "plan", "routes", "shop"]
