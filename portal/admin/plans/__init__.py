"""The company's pages about plans of pay."""

from portal.admin.plans import (
    decisions,
    drafts,
    pages,
    trials,
)

__all__ = [
    "decisions",
    "drafts",
    "pages",
    "trials",
]
