"""Two ways an event can have no effect: not yet, and never."""

from portal.kernel.errors import NothingToDo, NotYetKnown

__all__ = ["NotYetKnown", "NothingToDo"]
