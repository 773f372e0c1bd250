"""The company's pages about comparisons with another system."""

from portal.admin.comparisons import (
    files,
    pages,
    work,
)

__all__ = [
    "files",
    "pages",
    "work",
]
