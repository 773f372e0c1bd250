"""Long lists in pieces that a database takes in one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Value = TypeVar("Value")

_AT_ONCE = 500


def pieces(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """At most 500 of the values at a time."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
