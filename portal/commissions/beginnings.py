"""What else happens in the transaction in which a cycle begins; the application says what.

Use cases do not know each other: whoever has to act at that very moment is handed in by `create_app`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from portal.store import UnitOfWork

Step: TypeAlias = Callable[[UnitOfWork, datetime], None]

_steps: dict[str, Step] = {}


def when_a_cycle_begins(step: Step) -> None:
    """Have a step done whenever a cycle begins, given the moment; twice the same is once."""
    _steps[f"{step.__module__}.{step.__qualname__}"] = step


def do_all(uow: UnitOfWork, at: datetime) -> None:
    """Do every step at the moment in which one cycle ended and the next began."""
    for step in _steps.values():
        step(uow, at)
