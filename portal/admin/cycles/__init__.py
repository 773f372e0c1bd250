"""The company's pages about cycles, runs and their rhythm."""

from portal.admin.cycles import (
    cycle,
    deeds,
    figures,
    listed,
    people,
    rhythms,
    runs,
)

__all__ = [
    "cycle",
    "deeds",
    "figures",
    "listed",
    "people",
    "rhythms",
    "runs",
]
