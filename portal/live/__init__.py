"""Legs of the open cycle, exact at every read: an index in each process, fed by what was added since."""

from portal.live.index import LegFigures
from portal.live.reading import NOBODY, Reading, Team, below, legs, sides, team, way

__all__ = ["NOBODY", "LegFigures", "Reading", "Team", "below", "legs", "sides", "team", "way"]
