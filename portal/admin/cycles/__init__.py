"""The company's pages about cycles, runs and their rhythm."""

from portal.admin.cycles import (
    deeds,
    figures,
    page,
    pages,
    people,
    rhythms,
    runs,
)

__all__ = [
    "deeds",
    "figures",
    "page",
    "pages",
    "people",
    "rhythms",
    "runs",
]
