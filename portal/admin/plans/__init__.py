"""The company's pages about plans of pay."""

from portal.admin.plans import (
    decisions,
    drafts,
    trials,
    versions,
)

__all__ = [
    "decisions",
    "drafts",
    "trials",
    "versions",
]
