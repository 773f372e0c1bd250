"""Legs of the open cycle, exact at every read: an index in each process, fed by what was added since."""

from portal.live.index import LegFigures
from portal.live.reading import Reading, below, legs

__all__ = ["LegFigures", "Reading", "below", "legs"]
