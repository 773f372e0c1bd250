"""The steps of a preview, a close and an undo: told as progress while they last, timed for the run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from portal.models import Run
from portal.store import progress

PREVIEW: Final = ("read", "keep", "calculate", "write", "prove")
CLOSE: Final = ("read", "calculate", "book", "hold", "finish")
UNDO: Final = ("reverse", "finish")


class Stages:
    """What `run.stages` will hold: milliseconds for each step that was gone through."""

    def __init__(self, cycle_id: int, steps: tuple[str, ...]) -> None:
        self._subject, self._steps = f"cycle-{cycle_id}", steps
        self._took: dict[str, object] = {}

    @contextmanager
    def at(self, step: str, *, total: int = 0) -> Iterator[None]:
        """The step that is gone through within this, over `total` things where that is known."""
        progress.report(self._subject, step=step, steps=self._steps, total=total)
        began = time.perf_counter_ns()
        yield
        self._took[step] = (time.perf_counter_ns() - began) // 1_000_000

    def write_down(self, run: Run) -> None:
        """Keep the times with the run, beside those of its earlier steps."""
        run.stages = (run.stages or {}) | self._took
