"""Somebody who is interested, from whatever door they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portal.leads.consents import Said
from portal.store.people import Contact

LONGEST_SOURCE: Final = 100


@dataclass(frozen=True)
class Enquiry:
    """Who is interested, in which service, from whom they heard of it.

    `source` is one of `LEAD_SOURCES`; `source_name` says which form, token or file it was. Without
    `consultant_id` the lead is routed. `origin` is the key under which the sender takes it once, such as
    `form-7-4f1c`. `said` are texts that the person agreed to.
    """

    contact: Contact
    source: str
    service_id: int | None = None
    consultant_id: int | None = None
    origin: str | None = None
    note: str = ""
    said: tuple[Said, ...] = ()
    source_name: str = ""

    @property
    def came_by(self) -> dict[str, str]:
        """The source as a step of the history keeps it."""
        name = " ".join(self.source_name.split())[:LONGEST_SOURCE]
        return {"source": self.source} | ({"source_name": name} if name else {})
