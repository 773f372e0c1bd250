"""Days as people and files write them."""

from __future__ import annotations

from datetime import date

from portal.kernel.errors import BadInput


def parse_day(text: str) -> date:
    """A day such as 2026-11-22, with blanks around it or not. Raises `BadInput`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("a day is written as 2026-11-22") from None
