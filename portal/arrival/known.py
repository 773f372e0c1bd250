"""What an import has to fit to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Known:
    """What the empty company has already: packs by code, e-mails that sign in; its time zone, and now."""

    packs: frozenset[str]
    emails: frozenset[str]
    zone: ZoneInfo
    now: datetime
