"""What the engine says when its input cannot be right."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """The input cannot be right; `faults` names every fault that was found with its place, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


def refuse_any(faults: Sequence[str]) -> None:
    """Raise Refused if there is at least one fault."""
    if faults:
        raise Refused(faults)
