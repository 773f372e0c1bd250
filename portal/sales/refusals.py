"""Two ways an event can have no effect: not yet, and never."""

from __future__ import annotations

from portal.kernel.errors import DomainError


class NotYetKnown(DomainError):
    """The event needs something that is not here yet; it may be tried again later."""


class NothingToDo(DomainError):
    """The event is true and changes nothing; the message says why."""
